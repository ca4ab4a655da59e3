#pragma once
// Sandbox: where generated code runs, and nowhere else.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"

namespace conductorai {

struct Mount {
  std::filesystem::path host;
  std::filesystem::path inside;
  bool writable = false;
};

struct SandboxCommand {
  std::vector<std::string> argv;    // no shell is added; use {"/bin/sh", "-c", text}
  std::filesystem::path workspace;  // host path; mounted writable, and the working directory (at the path `Sandbox::workspace_path` tells)
  std::filesystem::path working_subdirectory;      // relative to the workspace
  std::map<std::string, std::string> environment;  // all there is, besides PATH, HOME, TMPDIR and LANG
  std::vector<Mount> mounts;                       // shims (read-only), report folders (writable)
  SandboxDefinition limits;
  bool network = false;
  std::string stdin_text;
  std::function<void(std::string_view)> on_output;  // progress, called on the loop's thread; may be empty
  std::shared_ptr<struct CommandResult> stopped{};  // where given, and `run` ends as cancelled: what was printed until then
};

/// Head and tail of what was printed, escape sequences removed, valid UTF-8; the raw whole is in `file`.
struct CapturedOutput {
  std::string head;
  std::string tail;              // empty when the head holds all
  std::int64_t total_bytes = 0;  // printed, also past the cap
  bool truncated = false;        // more was printed than was kept in `file`
  std::filesystem::path file;    // raw, up to limits.output_bytes; the caller moves or deletes it. Empty when nothing was printed.
  [[nodiscard]] std::string text() const;  // head, "… N bytes left out …", tail
};

struct CommandResult {
  int exit_code = -1;  // meaningful when signal == 0
  int signal = 0;
  std::optional<std::string> exceeded;  // "wall", "memory", "processes", "disk", "output", "cpu": which limit ended it
  CapturedOutput out;                   // stdout
  CapturedOutput err;                   // stderr
  std::int64_t duration_ms = 0;
  std::int64_t peak_rss_bytes = 0;
  std::string enforced_by;  // "rlimits+watchdog" or "cgroup v2+rlimits+watchdog"
  [[nodiscard]] bool ok() const { return signal == 0 && exit_code == 0 && !exceeded; }
  [[nodiscard]] std::string describe() const;  // "exit code 1", "killed by signal 9", "stopped: memory limit of 1 GiB"
};

/// Errors: unavailable (no user namespaces, bubblewrap missing: fail-closed), not_found (the program), resource_exhausted, cancelled
/// (after the whole process tree is gone).
class Sandbox {
 public:
  virtual ~Sandbox() = default;
  virtual task<Result<CommandResult>> run(SandboxCommand command) = 0;
  /// Where the workspace appears to the command.
  [[nodiscard]] virtual std::filesystem::path workspace_path(const std::filesystem::path& host) const = 0;
  /// "bubblewrap", "none"
  [[nodiscard]] virtual std::string_view name() const = 0;
};

}  // namespace conductorai
