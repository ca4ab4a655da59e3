#pragma once
// Child processes: posix_spawn, a pidfd on the loop, pipes read to their end, the whole group killed.

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure {

struct ProcessSpec {
  std::vector<std::string> argv;                   // argv[0] is looked up in PATH of `environment`
  std::map<std::string, std::string> environment;  // all there is
  std::filesystem::path working_directory;         // empty: ours
  std::string stdin_text;
  std::int64_t output_bytes_max = std::int64_t{64} << 20;  // of stdout and of stderr each; past it: dropped and counted
  std::optional<Milliseconds> timeout;                     // then SIGTERM, after `grace` SIGKILL, to the whole group
  Milliseconds grace{2'000};
  std::function<void(std::string_view)> on_stdout;    // may be empty
  std::function<void(std::string_view)> on_stderr{};  // likewise
};

struct ProcessResult {
  int exit_code = -1;  // meaningful when signal == 0
  int signal = 0;
  bool timed_out = false;
  std::string out, err;
  std::int64_t out_bytes = 0, err_bytes = 0;  // printed, kept or not
  [[nodiscard]] bool ok() const { return signal == 0 && exit_code == 0 && !timed_out; }
};

/// For our own tools (git, probes of the machine); generated code goes through Sandbox.
/// Errors: not_found (program), unavailable (spawn failed), cancelled (after the group is gone).
task<Result<ProcessResult>> run_process(runtime::Loop& loop, ProcessSpec spec);

}  // namespace conductorai::infrastructure
