#pragma once
// Event: wakes all who wait. Mailbox: a queue with one reader. Semaphore: a bounded number of turns, in order of arrival.

#include <algorithm>
#include <iterator>
#include <limits>
#include <list>
#include <utility>
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
  /// What `take` waits in: no coroutine of its own.
  class Taking final : public Suspension {
   public:
    Taking(Mailbox& box, std::size_t most, CancelSource* cancel) : box_(box), most_(most), cancel_(cancel) {}
    [[nodiscard]] bool await_ready() const noexcept { return !box_.empty(); }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
      box_.reader_ = this;
      TaskEnvironment environment = handle.promise().environment;
      if (cancel_ != nullptr) environment.cancel = cancel_;
      return suspend(handle, environment);
    }
    Result<std::vector<T>> await_resume() {
      box_.reader_ = nullptr;
      if (auto waited = Suspension::await_resume(); !waited) return fail(waited.error());
      return box_.taken(most_);
    }

   private:
    Mailbox& box_;
    std::size_t most_;
    CancelSource* cancel_;
  };

 public:
  void push(T item) {
    items_.push_back(std::move(item));
    if (reader_ != nullptr) reader_->complete();
  }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return items_.size() - first_; }

  /// To be awaited: waits for at least one item and takes what is there, oldest first, `most` at once. Errors: cancelled, by `cancel` where
  /// it is given, else with who awaits it.
  [[nodiscard]] Taking take(std::size_t most = std::numeric_limits<std::size_t>::max(), CancelSource* cancel = nullptr) {
    return Taking(*this, most, cancel);
  }

 private:
  std::vector<T> taken(std::size_t most) {
    if (first_ == 0 && items_.size() <= most) return std::exchange(items_, {});
    const auto begin = items_.begin() + static_cast<std::ptrdiff_t>(first_);
    const std::size_t count = std::min(most, size());
    std::vector<T> out(std::make_move_iterator(begin), std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count)));
    first_ += count;
    if (2 * first_ >= items_.size()) {  // what was taken holds no more room than what waits
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    return out;
  }

  std::vector<T> items_;
  std::size_t first_ = 0;  // those before it were taken
  Taking* reader_ = nullptr;
};

/// `auto turn = co_await semaphore.acquire(); … semaphore.release();`
class Semaphore {
 public:
  explicit Semaphore(int permits) : permits_(permits) {}
  task<Result<void>> acquire() { return try_acquire() ? task<Result<void>>::done() : wait(); }
  bool try_acquire() {
    if (permits_ == 0) return false;
    --permits_;
    return true;
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
  task<Result<void>> wait() {
    Waiter waiter(*this);
    auto waited = co_await waiter;
    if (!waited && waiter.granted) release();
    co_return waited;
  }
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
