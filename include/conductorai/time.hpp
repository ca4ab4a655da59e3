#pragma once
#include <chrono>

namespace conductorai {

using Milliseconds = std::chrono::milliseconds;
/// Wall-clock time, what journals record.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
/// Monotonic time, what timeouts are measured with.
using Instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

}  // namespace conductorai
