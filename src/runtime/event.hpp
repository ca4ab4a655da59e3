#pragma once
// Event: wakes all who wait. Mailbox: a queue with one reader. Semaphore: a bounded number of turns, in order of arrival.

#include <algorithm>
#include <deque>
#include <limits>
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

  /// Waits for at least one item and takes what is there, oldest first, `most` at once. Errors: cancelled.
  task<Result<std::vector<T>>> take(std::size_t most = std::numeric_limits<std::size_t>::max()) {
    if (items_.empty()) {
      arrived_.reset();
      if (auto waited = co_await arrived_.wait(); !waited) co_return fail(waited.error());
    }
    const auto end = items_.begin() + static_cast<std::ptrdiff_t>(std::min(most, items_.size()));
    std::vector<T> taken(std::make_move_iterator(items_.begin()), std::make_move_iterator(end));
    items_.erase(items_.begin(), end);
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
