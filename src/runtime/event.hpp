#pragma once
// Event: wakes all who wait. Mailbox: a queue with one reader. Semaphore: a bounded number of turns, in order of arrival.

#include <deque>
#include <list>
#include <vector>

#include "runtime/suspension.hpp"

namespace conductorai::runtime {

/// Level-triggered: stays set until `reset`.
class Event {
 public:
  void set() {
    set_ = true;
    wake();
  }
  void reset() { set_ = false; }
  /// Wakes the present waiters without staying set.
  void wake() {
    auto waiters = std::exchange(waiters_, {});
    for (Waiter* waiter : waiters) {
      waiter->owner = nullptr;
      waiter->complete();
    }
  }
  [[nodiscard]] bool is_set() const { return set_; }

  /// Errors: cancelled.
  task<Result<void>> wait() {
    if (set_) co_return Result<void>{};
    Waiter waiter(*this);
    co_return co_await waiter;
  }

 private:
  struct Waiter final : Suspension {
    explicit Waiter(Event& event) : owner(&event) { event.waiters_.push_back(this); }
    ~Waiter() override {
      if (owner != nullptr) owner->waiters_.remove(this);
    }
    Event* owner;
  };
  bool set_ = false;
  std::list<Waiter*> waiters_;
};

template <class T>
class Mailbox {
 public:
  void push(T item) {
    items_.push_back(std::move(item));
    arrived_.set();
  }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  /// Waits for at least one item and takes all that are there. Errors: cancelled.
  task<Result<std::vector<T>>> take_all() {
    if (items_.empty()) {
      arrived_.reset();
      if (auto waited = co_await arrived_.wait(); !waited) co_return fail(waited.error());
    }
    std::vector<T> taken(std::make_move_iterator(items_.begin()), std::make_move_iterator(items_.end()));
    items_.clear();
    arrived_.reset();
    co_return taken;
  }

 private:
  std::deque<T> items_;
  Event arrived_;
};

/// `auto turn = co_await semaphore.acquire(); … semaphore.release();`
class Semaphore {
 public:
  explicit Semaphore(int permits) : permits_(permits) {}
  task<Result<void>> acquire() {
    if (permits_ > 0) {
      --permits_;
      co_return Result<void>{};
    }
    Waiter waiter(*this);
    auto waited = co_await waiter;
    if (!waited && waiter.granted) release();
    co_return waited;
  }
  void release() {
    if (waiters_.empty()) {
      ++permits_;
      return;
    }
    Waiter* next = waiters_.front();
    waiters_.pop_front();
    next->granted = true;
    next->complete();
  }

 private:
  struct Waiter final : Suspension {
    explicit Waiter(Semaphore& semaphore) : owner(semaphore) { semaphore.waiters_.push_back(this); }
    ~Waiter() override {
      if (!granted) owner.waiters_.remove(this);
    }
    void on_cancelled() override {}
    Semaphore& owner;
    bool granted = false;
  };
  int permits_;
  std::list<Waiter*> waiters_;
};

}  // namespace conductorai::runtime
