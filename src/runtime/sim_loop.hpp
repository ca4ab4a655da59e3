#pragma once
// SimLoop: executor and clock of a simulation. Time stands still while anything can run, then jumps to the next timer.

#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "conductorai/clock.hpp"
#include "conductorai/task.hpp"

namespace conductorai::runtime {

class SimLoop final : public Executor, public Clock {
 public:
  void post(std::coroutine_handle<> handle) override { ready_.push_back(handle); }
  void post_external(std::function<void()> function) override;

  [[nodiscard]] Timestamp now() const override;
  [[nodiscard]] Instant steady_now() const override { return Instant(now_); }
  [[nodiscard]] std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) override;

  /// One resumption, external call or timer. False when nothing is left that could ever run.
  bool step();
  /// Runs until `done`; ends the process with a message when it can never hold (a stalled simulation).
  void run_until(const std::function<bool()>& done);
  /// Runs until nothing can run without time passing.
  void settle();
  /// Lets virtual time pass, firing the timers on the way.
  void advance(std::chrono::nanoseconds duration);

 private:
  struct Pending;
  friend struct Pending;
  bool run_ready();
  std::chrono::nanoseconds now_{0};
  std::uint64_t next_id_ = 0;
  std::deque<std::coroutine_handle<>> ready_;
  std::map<std::pair<std::chrono::nanoseconds, std::uint64_t>, std::function<void()>> timers_;
  std::mutex external_mutex_;
  std::deque<std::function<void()>> external_;
};

}  // namespace conductorai::runtime
