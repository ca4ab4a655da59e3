#pragma once
// Named places where a test can kill the process as a power cut would: between an append, its effect and its record.
// CONDUCTORAI_CRASH_AT=name dies at the first hit, name:N at the Nth. CONDUCTORAI_CRASH_MARK names a file that is created first, so that
// a test can tell a point that was reached from one that never was; where that file is already there the point is passed by, so that what
// is started again with the same variables lives. Without the variable a point costs one load.

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace conductorai {

/// The one list; those named release.… are of a release's supervisor, removal.… of `prune`, fork.… of `fork`. A point that is used but not
/// listed does not compile.
inline constexpr std::array<std::string_view, 34> kCrashPoints{
    "journal.before_commit",     "journal.after_commit",     "step.begin.before_commit", "step.begin.after_commit",
    "step.finish.before_commit", "step.finish.after_commit", "inbox.before_commit",      "inbox.after_commit",
    "engine.before_append",      "engine.after_append",      "engine.before_ref_move",   "engine.after_ref_move",
    "engine.before_dispatch",    "engine.result_received",   "engine.before_merge",      "agent.before_commit",
    "agent.after_commit",        "agent.after_record",       "agent.before_publish",     "llm.before_send",
    "llm.after_answer",          "approval.before_append",   "gate.after_append",        "workflow.before_close",
    "release.before_start",      "release.after_start",      "release.before_switch",    "release.after_switch",
    "release.before_stop",       "removal.before_commit",    "removal.after_commit",     "removal.half_way",
    "removal.before_finish",     "fork.before_append",
};

inline std::span<const std::string_view> crash_point_names() {
  return kCrashPoints;
}

struct CrashPointName {
  consteval CrashPointName(const char* text) : name(text) {
    if (std::ranges::find(kCrashPoints, name) == kCrashPoints.end()) throw "a crash point must stand in kCrashPoints";
  }
  std::string_view name;
};

namespace detail {
extern const bool crash_armed;  // read from the environment once, at start-up
void crash_point_hit(std::string_view name);
}  // namespace detail

/// From any thread.
inline void crash_point(CrashPointName point) {
  if (detail::crash_armed) [[unlikely]]
    detail::crash_point_hit(point.name);
}

}  // namespace conductorai
