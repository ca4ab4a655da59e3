#pragma once
// What both sandboxes do around their way of starting: outputs captured, limits watched, the end told.

#include <memory>
#include <string>

#include "infrastructure/process/work_area.hpp"
#include "infrastructure/sandbox/capture.hpp"
#include "infrastructure/sandbox/launch.hpp"
#include "infrastructure/sandbox/sandboxes.hpp"
#include "infrastructure/sandbox/text_cleaner.hpp"
#include "infrastructure/sandbox/watchdog.hpp"
#include "runtime/offload.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

/// What a sandbox keeps between runs.
struct Grounds {
  runtime::Loop& loop;
  SandboxOptions options;
  WorkArea area;
  runtime::Worker worker{};

  [[nodiscard]] std::optional<RunAs> user() const {
    return area.drops_privileges ? std::optional(RunAs{area.uid, area.gid}) : std::nullopt;
  }
  /// The folder raw outputs are kept in, made at first use; leftovers of dead processes are removed then.
  Result<std::filesystem::path> output_folder();
  bool output_ready = false;
};

/// Names a run's files and cgroup: unique in this process, and unlikely to meet what an earlier process of our number left.
std::int64_t next_run();

/// The pipes of one run. The child's ends are closed after the start.
struct Pipes {
  UniqueFd in, out, err;
  UniqueFd in_ours, out_ours, err_ours;
};
Result<Pipes> make_pipes(bool with_stdin);

/// rlimits of the definition; no address space limit (it ends every ASan program).
std::vector<ResourceLimit> rlimits_of(const SandboxDefinition& limits);
/// Hard cap on tasks (threads count): well above the watchdog's count of processes, low enough to stop a fork bomb at once.
std::int64_t task_cap(const SandboxDefinition& limits);

/// Both streams of one run.
class Outputs {
 public:
  Outputs(const std::filesystem::path& folder, std::int64_t run, const SandboxCommand& command);
  /// Reads both streams and feeds stdin, in `scope`. `watchdog` is told how much was printed.
  void pump(runtime::Loop& loop, runtime::TaskScope& scope, CancelSource& stop_writing, Pipes& pipes, Watchdog& watchdog,
            std::string stdin_text);
  /// Drops the files.
  void discard();
  /// Of a run that was cancelled: to whoever asked for it, else discarded.
  void leave_to(const std::shared_ptr<CommandResult>& stopped);

  Capture out;
  Capture err;

 private:
  void piece(Capture& capture, TextCleaner& cleaner, Watchdog& watchdog, std::string_view bytes);
  std::function<void(std::string_view)> watcher_;
  TextCleaner clean_out_;
  TextCleaner clean_err_;
};

/// The signals that stand for a limit.
void name_exceeded_rlimit(CommandResult& result);

/// 128 + N, as shells and bubblewrap tell a signal.
void take_exit_code(int code, CommandResult& result);

}  // namespace conductorai::infrastructure
