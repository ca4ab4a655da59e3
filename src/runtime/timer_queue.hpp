#pragma once
// TimerQueue: all pending calls of a loop, by time. One timer of Asio's serves them all: ten thousand that wait cost neither a timer of
// the kernel nor an operation each.

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "conductorai/clock.hpp"

namespace conductorai::runtime {

/// Thread: the loop's. Calls due at one time are made in the order of their making.
class TimerQueue {
 public:
  explicit TimerQueue(boost::asio::io_context& io) : timer_(io) {}
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) {
    const Instant now = std::chrono::steady_clock::now();
    const Instant due = delay < Instant::max() - now ? now + delay : Instant::max();
    auto pending = std::make_unique<Pending>(*this, std::move(function));
    pending->place = pending_.emplace(due, pending.get());
    if (due <= now)
      call_soon();
    else
      arm();
    return pending;
  }

 private:
  struct Pending;
  using ByTime = std::multimap<Instant, Pending*>;
  struct Pending final : Timer {
    Pending(TimerQueue& owner, std::function<void()> f) : queue(owner), function(std::move(f)) {}
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() override {
      if (place) queue.pending_.erase(*place);
    }
    TimerQueue& queue;
    std::function<void()> function;
    std::optional<ByTime::iterator> place;  // none once it was called
  };

  /// What is due already needs no timer of the kernel, and leaves the one that is set as it is.
  void call_soon() {
    if (std::exchange(called_soon_, true)) return;
    boost::asio::post(timer_.get_executor(), [this] {
      called_soon_ = false;
      call_due();
    });
  }

  void arm() {
    if (pending_.empty()) return;
    const Instant first = pending_.begin()->first;
    if (armed_for_ && *armed_for_ <= first) return;  // goes off too early where that call was taken back, and is armed anew then
    armed_for_ = first;
    timer_.expires_at(first);
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      armed_for_.reset();
      call_due();
    });
  }

  void call_due() {
    const Instant now = std::chrono::steady_clock::now();
    while (!pending_.empty() && pending_.begin()->first <= now) {
      Pending& due = *pending_.begin()->second;
      pending_.erase(pending_.begin());
      due.place.reset();
      std::exchange(due.function, nullptr)();  // which may destroy the timer
    }
    arm();
  }

  boost::asio::steady_timer timer_;
  std::optional<Instant> armed_for_;
  bool called_soon_ = false;
  ByTime pending_;
};

}  // namespace conductorai::runtime
