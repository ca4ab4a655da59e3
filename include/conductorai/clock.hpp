#pragma once
// Clock: the only source of time. Product code sleeps and times out through it, so a simulation can own time.

#include <functional>
#include <memory>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"

namespace conductorai {

/// A pending call; destroying it takes the call back.
class Timer {
 public:
  virtual ~Timer() = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;       // wall clock; may jump
  [[nodiscard]] virtual Instant steady_now() const = 0;  // never goes back
  /// Calls `function` on the loop's thread once `delay` has passed by the monotonic clock.
  [[nodiscard]] virtual std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) = 0;
};

/// Suspends for `duration`. Errors: cancelled.
task<Result<void>> sleep_for(Clock& clock, std::chrono::nanoseconds duration);

/// Chance and fresh names, seeded in simulations.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual std::uint64_t next() = 0;
};

}  // namespace conductorai
