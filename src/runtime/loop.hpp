#pragma once
// Loop: the one event-loop thread of a process. Executor and Clock over Asio; Asio itself stays in loop.cpp.

#include <memory>

#include "conductorai/clock.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"

namespace conductorai::runtime {

/// What is watched is watched until this is destroyed; inside its own call, too.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Loop final : public Executor, public Clock {
 public:
  Loop();
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void post(std::coroutine_handle<> handle) override;
  void post_external(std::function<void()> function) override;

  [[nodiscard]] Timestamp now() const override;
  [[nodiscard]] Instant steady_now() const override;
  [[nodiscard]] std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) override;

  /// Suspends until `fd` is readable (or writable). The fd stays the caller's and must stay open meanwhile. Errors: cancelled,
  /// resource_exhausted (no descriptor left).
  task<Result<void>> readable(int fd);
  task<Result<void>> writable(int fd);
  /// Calls `function` whenever `fd` is readable. The fd stays the caller's and must stay open meanwhile.
  /// Errors: resource_exhausted (no descriptor left).
  Result<std::unique_ptr<Watch>> on_readable(int fd, std::function<void()> function);

  /// Runs until `done` holds; checked after every turn.
  void run_until(const std::function<bool()>& done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace conductorai::runtime
