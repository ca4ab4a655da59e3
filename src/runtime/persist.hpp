#pragma once
// Writes that must not be given up at the first refusal.

#include <type_traits>

#include "conductorai/clock.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"

namespace conductorai::runtime {

inline constexpr int kPersistTries = 6;
inline constexpr Milliseconds kPersistPause{100};  // doubling: what is to be written is held for about 3 s

/// A store that is out of reach or full may be neither in a moment; any other refusal stands.
[[nodiscard]] inline bool worth_repeating(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::resource_exhausted;
}

/// Awaits `write()` until it succeeds, is refused for good, or all tries are used; then the last answer. `write` is kept until the end, so
/// it holds what it writes by value. Run it shielded: giving up half-way is what it is there against.
template <class Write>
std::invoke_result_t<Write&> persist(Clock& clock, Write write) {
  for (int tries = 1;; ++tries) {
    auto written = co_await write();
    if (written || tries == kPersistTries || !worth_repeating(written.error())) co_return written;
    (void)co_await sleep_for(clock, kPersistPause * (1 << (tries - 1)));
  }
}

}  // namespace conductorai::runtime
