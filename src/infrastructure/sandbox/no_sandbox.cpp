#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "infrastructure/process/lookup.hpp"
#include "infrastructure/sandbox/bubblewrap_args.hpp"
#include "infrastructure/sandbox/run_common.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

constexpr int kStatusFd = 3;

/// The supervisor (supervisor.hpp) and what runs below it.
class Supervised {
 public:
  explicit Supervised(pid_t pid) : pid_(pid), pidfd_(open_pidfd(pid)) {}
  Supervised(const Supervised&) = delete;
  Supervised& operator=(const Supervised&) = delete;
  ~Supervised() {
    end();
    (void)reap();
  }

  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  /// It ends every descendant before itself.
  void end() const {
    if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGTERM, nullptr, 0);
  }
  rusage reap() {
    rusage usage{};
    if (pid_ <= 0) return usage;
    while (::wait4(pid_, nullptr, 0, &usage) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return usage;
  }

 private:
  pid_t pid_;
  UniqueFd pidfd_;
};

int number_at(std::string_view text, std::size_t at) {
  int value = 0;
  text.remove_prefix(std::min(at, text.size()));
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class NoSandbox final : public Sandbox {
 public:
  NoSandbox(runtime::Loop& loop, SandboxOptions options) : grounds_{loop, options, work_area(options.state_dir)} {}

  task<Result<CommandResult>> run(SandboxCommand command) override;
  [[nodiscard]] fs::path workspace_path(const fs::path& host) const override { return host; }
  [[nodiscard]] std::string_view name() const override { return "none"; }

 private:
  Result<pid_t> start(const SandboxCommand& command, const Pipes& pipes, int status) const;
  task<Result<CommandResult>> perform(SandboxCommand command, Pipes pipes, fs::path folder);
  Grounds grounds_;
};

/// Nothing is mounted, so everything is where it is: a mount works only at its own path.
Result<void> check(const SandboxCommand& command) {
  if (command.argv.empty()) return fail(ErrorCode::invalid_argument, "no program given");
  for (const auto& mount : command.mounts)
    if (mount.host != mount.inside)
      return fail(ErrorCode::unsupported, "sandbox 'none' shows no folder under another path", mount.inside.string());
  std::error_code error;
  if (!command.workspace.is_absolute() || !fs::is_directory(command.workspace, error))
    return fail(ErrorCode::invalid_argument, "no such workspace", command.workspace.string());
  return {};
}

Result<pid_t> NoSandbox::start(const SandboxCommand& command, const Pipes& pipes, int status) const {
  auto environment = environment_inside(command.environment);
  if (!command.environment.contains("HOME")) environment["HOME"] = fs::temp_directory_path().string();
  const fs::path folder = command.workspace / command.working_subdirectory;
  auto program = find_program(command.argv[0], environment, folder);
  if (!program) return fail(program.error());
  LaunchSpec spec;
  spec.program = grounds_.options.helper;
  spec.argv = {"conductorai", "__sandbox-exec", "supervise", std::to_string(kStatusFd), *program};
  spec.argv.insert(spec.argv.end(), command.argv.begin() + 1, command.argv.end());
  for (const auto& [name, value] : environment) spec.environment.emplace_back(name).append("=").append(value);
  spec.working_directory = folder;
  spec.descriptors = {pipes.in.get(), pipes.out.get(), pipes.err.get(), status};
  spec.limits = rlimits_of(command.limits);
  spec.death_signal = SIGTERM;
  return launch(spec);
}

task<void> read_status(runtime::Loop& loop, int fd, std::string& status) {
  co_await read_to_end(loop, fd, [&status](std::string_view piece) { status += piece; });
}

task<void> until_gone(runtime::Loop& loop, const Supervised& child) {
  child.end();
  (void)co_await loop.readable(child.pidfd());
}

task<Result<CommandResult>> NoSandbox::run(SandboxCommand command) {
  const TaskEnvironment environment = co_await current_environment();
  if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  if (auto checked = check(command); !checked) co_return fail(checked.error());
  auto folder = grounds_.output_folder();
  if (!folder) co_return fail(folder.error());
  auto pipes = make_pipes(!command.stdin_text.empty());
  if (!pipes) co_return fail(pipes.error());
  co_return co_await perform(std::move(command), std::move(*pipes), *folder);
}

/// `status` is the supervisor's word.
Result<CommandResult> result_of(const SandboxCommand& command, const std::string& status, const rusage& usage, const Watchdog& watchdog,
                                Outputs& outputs) {
  if (status.starts_with("errno ")) {
    outputs.discard();
    return fail(ErrorCode::not_found, "cannot start " + command.argv[0] + ": " + std::strerror(number_at(status, 6)));
  }
  CommandResult result;
  if (status.starts_with("exit "))
    result.exit_code = number_at(status, 5);
  else
    result.signal = status.starts_with("signal ") ? number_at(status, 7) : SIGKILL;
  result.exceeded = watchdog.exceeded();
  name_exceeded_rlimit(result);
  result.out = outputs.out.take();
  result.err = outputs.err.take();
  result.peak_rss_bytes = std::max<std::int64_t>(watchdog.peak_memory_bytes(), static_cast<std::int64_t>(usage.ru_maxrss) * 1024);
  result.enforced_by = "rlimits+watchdog";
  return result;
}

task<Result<CommandResult>> NoSandbox::perform(SandboxCommand command, Pipes pipes, fs::path folder) {
  const TaskEnvironment environment = co_await current_environment();
  runtime::Loop& loop = grounds_.loop;
  auto status_pipe = make_pipe();
  if (!status_pipe) co_return fail(status_pipe.error());
  auto pid = start(command, pipes, status_pipe->write.get());
  if (!pid) co_return fail(pid.error());
  Supervised child(*pid);
  pipes.in.reset();
  pipes.out.reset();
  pipes.err.reset();
  status_pipe->write.reset();

  Outputs outputs(folder, next_run(), command);
  Watchdog watchdog(loop, grounds_.worker, command, grounds_.options.watch_every, [&child] { child.end(); });
  watchdog.follow(std::make_unique<DescendantTree>(*pid));
  if (grounds_.options.on_start) grounds_.options.on_start(*pid);
  std::string status;
  const auto started = loop.steady_now();
  runtime::TaskScope pumps(loop);
  runtime::TaskScope watch(loop);
  CancelSource stop_writing;
  outputs.pump(loop, pumps, stop_writing, pipes, watchdog, std::move(command.stdin_text));
  pumps.spawn(read_status(loop, status_pipe->read.get(), status));
  watch.spawn(watchdog.watch());

  auto ended = co_await loop.readable(child.pidfd());
  co_await runtime::shielded(until_gone(loop, child));
  watch.cancel();
  stop_writing.cancel();
  co_await watch.join();
  auto cut = loop.call_after(std::chrono::seconds(2), [&pumps] { pumps.cancel(); });
  co_await pumps.join();
  cut.reset();
  const rusage usage = child.reap();
  if (!ended || environment.cancelled()) {
    outputs.leave_to(command.stopped);
    co_return fail(ErrorCode::cancelled, "cancelled");
  }
  auto result = result_of(command, status, usage, watchdog, outputs);
  if (result) result->duration_ms = std::chrono::duration_cast<Milliseconds>(loop.steady_now() - started).count();
  co_return result;
}

}  // namespace

std::unique_ptr<Sandbox> make_no_sandbox(runtime::Loop& loop, SandboxOptions options) {
  return std::make_unique<NoSandbox>(loop, std::move(options));
}

}  // namespace conductorai::infrastructure
