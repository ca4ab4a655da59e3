#include "infrastructure/sandbox/run_common.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "infrastructure/sandbox/etc_folder.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

/// "<pid>-<run>.<stream>"
fs::path output_file(const fs::path& folder, std::int64_t run, const char* stream) {
  return folder / (std::to_string(::getpid()) + "-" + std::to_string(run) + "." + stream);
}

}  // namespace

/// Beside the work area, not in it: what is in there belongs to the sandbox's user.
Result<fs::path> Grounds::output_folder() {
  const fs::path folder = area.root.parent_path() / "output";
  if (output_ready) return folder;
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return fail(ErrorCode::resource_exhausted, "cannot make the folder for outputs: " + error.message(), folder.string());
  remove_leftovers(folder, "");
  output_ready = true;
  return folder;
}

std::int64_t next_run() {
  static std::atomic<std::int64_t> next = std::chrono::system_clock::now().time_since_epoch().count() / 1000;
  return ++next;
}

Result<Pipes> make_pipes(bool with_stdin) {
  Pipes pipes;
  auto out = make_pipe();
  if (!out) return fail(out.error());
  auto err = make_pipe();
  if (!err) return fail(err.error());
  pipes.out = std::move(out->write);
  pipes.out_ours = std::move(out->read);
  pipes.err = std::move(err->write);
  pipes.err_ours = std::move(err->read);
  if (!with_stdin) {
    pipes.in.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return pipes;
  }
  auto in = make_pipe();
  if (!in) return fail(in.error());
  pipes.in = std::move(in->read);
  pipes.in_ours = std::move(in->write);
  return pipes;
}

std::vector<ResourceLimit> rlimits_of(const SandboxDefinition& limits) {
  const auto wall_seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(1, (limits.wall.count() + 999) / 1000));
  const std::uint64_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<ResourceLimit> out{{RLIMIT_CORE, 1},  // not 0: at 1 the kernel starts no crash handler either
                                 {RLIMIT_FSIZE, static_cast<std::uint64_t>(limits.disk_bytes)},
                                 {RLIMIT_NOFILE, 4096},
                                 {RLIMIT_RTPRIO, 0}};
  if (limits.wall > Milliseconds(0)) out.push_back({RLIMIT_CPU, wall_seconds * cores + 1});
  return out;
}

std::int64_t task_cap(const SandboxDefinition& limits) {
  return std::int64_t{4} * limits.processes + 32;
}

Outputs::Outputs(const fs::path& folder, std::int64_t run, const SandboxCommand& command)
    : out(output_file(folder, run, "stdout"), command.limits.output_bytes),
      err(output_file(folder, run, "stderr"), command.limits.output_bytes),
      watcher_(command.on_output) {}

void Outputs::pump(runtime::Loop& loop, runtime::TaskScope& scope, CancelSource& stop_writing, Pipes& pipes, Watchdog& watchdog,
                   std::string stdin_text) {
  scope.spawn(
      read_to_end(loop, pipes.out_ours.get(), [this, &watchdog](std::string_view bytes) { piece(out, clean_out_, watchdog, bytes); }));
  scope.spawn(
      read_to_end(loop, pipes.err_ours.get(), [this, &watchdog](std::string_view bytes) { piece(err, clean_err_, watchdog, bytes); }));
  if (pipes.in_ours) scope.spawn(write_and_close(loop, std::move(pipes.in_ours), std::move(stdin_text)), stop_writing);
}

void Outputs::piece(Capture& capture, TextCleaner& cleaner, Watchdog& watchdog, std::string_view bytes) {
  capture.add(bytes);
  watchdog.printed(capture.total());
  if (watcher_) watcher_(cleaner.feed(bytes));
}

void Outputs::discard() {
  out.discard();
  err.discard();
}

void Outputs::leave_to(const std::shared_ptr<CommandResult>& stopped) {
  if (stopped == nullptr) return discard();
  stopped->signal = SIGKILL;
  stopped->out = out.take();
  stopped->err = err.take();
}

void name_exceeded_rlimit(CommandResult& result) {
  if (result.exceeded) return;
  if (result.signal == SIGXCPU) result.exceeded = "cpu";
  if (result.signal == SIGXFSZ) result.exceeded = "disk";
}

void take_exit_code(int code, CommandResult& result) {
  constexpr int kSignalBase = 128;
  if (code > kSignalBase && code <= kSignalBase + SIGRTMAX)
    result.signal = code - kSignalBase;
  else
    result.exit_code = code;
}

}  // namespace conductorai::infrastructure
