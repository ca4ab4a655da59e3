#pragma once
// A timer that is set again and again, and seldom goes off.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "conductorai/clock.hpp"

namespace conductorai::runtime {

/// To set it to a later time costs nothing: the timer below stays where it is, and looks again when it goes off too early.
class MovingTimer {
 public:
  MovingTimer(Clock& clock, std::function<void()> function) : clock_(clock), function_(std::move(function)) {}
  MovingTimer(const MovingTimer&) = delete;
  MovingTimer& operator=(const MovingTimer&) = delete;

  /// Calls the function once at `at`, and not at the time that was set before.
  void set(Instant at) {
    due_ = at;
    if (!timer_ || armed_for_ > at) arm();
  }
  void clear() { due_.reset(); }

 private:
  void arm() {
    armed_for_ = *due_;
    timer_ = clock_.call_after(std::max(Instant::duration(0), armed_for_ - clock_.steady_now()), [this] { went_off(); });
  }
  void went_off() {
    timer_.reset();
    if (!due_) return;
    if (clock_.steady_now() < *due_) return arm();
    due_.reset();
    function_();
  }

  Clock& clock_;
  std::function<void()> function_;
  std::optional<Instant> due_;  // none: nothing is wanted
  std::unique_ptr<Timer> timer_;
  Instant armed_for_{};
};

}  // namespace conductorai::runtime
