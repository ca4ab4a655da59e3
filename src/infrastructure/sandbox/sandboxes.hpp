#pragma once
// The two sandboxes: bubblewrap (isolated, fail-closed) and none (`--sandbox=none`: the same limits and capturing, no isolation).

#include <filesystem>
#include <functional>
#include <memory>

#include "conductorai/sandbox.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure {

struct SandboxOptions {
  std::filesystem::path state_dir;                  // decides the work area (work_area.hpp); raw outputs are kept below it
  std::filesystem::path helper = "/proc/self/exe";  // a program whose main calls sandbox_exec_main (sandbox_exec.hpp)
  std::filesystem::path bubblewrap;                 // empty: looked up in /usr/bin:/bin:/usr/local/bin
  bool cgroups = true;                              // use a writable cgroup on top
  Milliseconds watch_every{50};
  /// Called on the loop's thread before a command's first instruction, with the number of its first process: a member of all its
  /// namespaces, and the ancestor of all its processes. May be empty.
  std::function<void(int first_process)> on_start{};
};

/// As `limits.wall` and as `limits.output_bytes` of a command that is to go on for good: no limit on time and CPU; no file of what it
/// prints, and no end of it. `on_output` sees all.
inline constexpr Milliseconds kNoWall{0};
inline constexpr std::int64_t kNoOutputFile = 0;

/// Runs every command in namespaces of its own by bubblewrap; as root, as an unprivileged service user. Nothing is checked here: a machine
/// that cannot isolate is told by `run` (unavailable, with a hint), so that nothing ever runs unisolated by mistake. Concurrent runs are
/// independent. REQUIRES: `run` is awaited on `loop`'s thread, which outlives the command (its death kills the command).
std::unique_ptr<Sandbox> make_bubblewrap_sandbox(runtime::Loop& loop, SandboxOptions options);

/// Runs commands as ourselves, with our network and files. REQUIRES: `options.helper` dispatches to sandbox_exec_main.
std::unique_ptr<Sandbox> make_no_sandbox(runtime::Loop& loop, SandboxOptions options);

}  // namespace conductorai::infrastructure
