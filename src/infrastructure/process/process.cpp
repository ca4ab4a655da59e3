#include "infrastructure/process/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/process/lookup.hpp"
#include "infrastructure/process/spawn.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

namespace {

/// A spawned leader and its group. While the leader is not reaped its number cannot be given to anybody else, so signals to the group are
/// safe.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), pidfd_(open_pidfd(pid)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { (void)reap(); }

  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  void signal_group(int number) const {
    if (pid_ > 0) ::kill(-pid_, number);
  }
  /// Kills what is left of the group, then waits for the leader.
  siginfo_t reap() {
    siginfo_t info{};
    if (pid_ <= 0) return info;
    signal_group(SIGKILL);
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
    }
    pid_ = -1;
    return info;
  }

 private:
  pid_t pid_;
  UniqueFd pidfd_;
};

struct Plumbing {
  UniqueFd in, out, err;                 // the child's
  UniqueFd in_ours, out_ours, err_ours;  // ours; `in_ours` is invalid without stdin text
};

Result<Plumbing> plumb(bool with_stdin) {
  Plumbing p;
  if (with_stdin) {
    auto in = make_pipe();
    if (!in) return fail(in.error());
    p.in = std::move(in->read);
    p.in_ours = std::move(in->write);
  } else {
    p.in.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  auto out = make_pipe();
  if (!out) return fail(out.error());
  auto err = make_pipe();
  if (!err) return fail(err.error());
  p.out = std::move(out->write);
  p.out_ours = std::move(out->read);
  p.err = std::move(err->write);
  p.err_ours = std::move(err->read);
  return p;
}

/// A program that started us with SIGCHLD ignored would have its way with our children's exit codes: they would be reaped unseen.
void keep_exit_codes() {
  struct sigaction action{};
  if (::sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
}

struct Sink {
  std::string& kept;
  std::int64_t& total;
  std::int64_t max;
  std::function<void(std::string_view)> watcher;

  void operator()(std::string_view piece) const {
    total += static_cast<std::int64_t>(piece.size());
    const auto room = static_cast<std::size_t>(std::max<std::int64_t>(0, max - static_cast<std::int64_t>(kept.size())));
    kept.append(piece.substr(0, room));
    if (watcher) watcher(piece);
  }
};

task<Result<void>> exit_within(runtime::Loop& loop, int pidfd, std::optional<Milliseconds> limit) {
  if (!limit) co_return co_await loop.readable(pidfd);
  co_return co_await runtime::with_deadline(loop, *limit, "the process", loop.readable(pidfd));
}

/// SIGTERM lets git take its lock files away; SIGKILL lets nobody stay.
task<void> end_group(runtime::Loop& loop, const Child& child, Milliseconds grace) {
  child.signal_group(SIGTERM);
  auto exited = co_await exit_within(loop, child.pidfd(), grace);
  if (exited) co_return;
  child.signal_group(SIGKILL);
  (void)co_await loop.readable(child.pidfd());
}

/// Waits for the leader; on timeout or cancellation ends the group. True when it was the timeout.
task<Result<bool>> leader_exit(runtime::Loop& loop, const Child& child, std::optional<Milliseconds> timeout, Milliseconds grace) {
  auto exited = co_await exit_within(loop, child.pidfd(), timeout);
  if (exited) co_return false;
  co_await runtime::shielded(end_group(loop, child, grace));
  if (exited.error().code == ErrorCode::timeout) co_return true;
  co_return fail(exited.error());
}

Result<pid_t> start(ProcessSpec& spec, const Plumbing& plumbing) {
  if (spec.argv.empty()) return fail(ErrorCode::invalid_argument, "no program given");
  if (!spec.working_directory.empty() && !std::filesystem::is_directory(spec.working_directory))
    return fail(ErrorCode::not_found, "no such folder to run in", spec.working_directory.string());
  auto program = find_program(spec.argv[0], spec.environment, spec.working_directory);
  if (!program) return fail(program.error());
  keep_exit_codes();
  pid_t pid = -1;
  const int error = spawn_process({.program = *program,
                                   .argv = spec.argv,
                                   .environment = variables_of(spec.environment),
                                   .working_directory = spec.working_directory,
                                   .descriptors = {plumbing.in.get(), plumbing.out.get(), plumbing.err.get()}},
                                  pid);
  if (error == ENOENT) return fail(ErrorCode::not_found, "cannot start " + spec.argv[0] + ": its interpreter is missing", *program);
  if (error != 0) return fail(ErrorCode::unavailable, "cannot start " + spec.argv[0] + ": " + std::strerror(error), *program);
  return pid;
}

void take_status(const siginfo_t& info, ProcessResult& result) {
  if (info.si_code == CLD_EXITED)
    result.exit_code = info.si_status;
  else
    result.signal = info.si_status;
}

}  // namespace

task<Result<ProcessResult>> run_process(runtime::Loop& loop, ProcessSpec spec) {
  const TaskEnvironment environment = co_await current_environment();
  if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  auto plumbing = plumb(!spec.stdin_text.empty());
  if (!plumbing) co_return fail(plumbing.error());
  auto pid = start(spec, *plumbing);
  if (!pid) co_return fail(pid.error());
  Child child(*pid);
  plumbing->in.reset();
  plumbing->out.reset();
  plumbing->err.reset();
  if (child.pidfd() < 0) co_return fail(ErrorCode::unavailable, "cannot watch the process: no pidfd");

  ProcessResult result;
  CancelSource stop_writing(environment.cancel);
  runtime::TaskScope pumps(loop, environment.cancel);
  pumps.spawn(read_to_end(loop, plumbing->out_ours.get(), Sink{result.out, result.out_bytes, spec.output_bytes_max, spec.on_stdout}));
  pumps.spawn(read_to_end(loop, plumbing->err_ours.get(), Sink{result.err, result.err_bytes, spec.output_bytes_max, spec.on_stderr}));
  if (plumbing->in_ours) pumps.spawn(write_and_close(loop, std::move(plumbing->in_ours), std::move(spec.stdin_text)), stop_writing);

  auto timed_out = co_await leader_exit(loop, child, spec.timeout, spec.grace);
  stop_writing.cancel();
  // The leader is gone; whoever still holds its pipes gets a grace, not for ever.
  auto cut = loop.call_after(spec.grace, [&pumps] { pumps.cancel(); });
  co_await pumps.join();
  cut.reset();
  const siginfo_t status = child.reap();
  if (!timed_out) co_return fail(timed_out.error());
  if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  result.timed_out = *timed_out;
  take_status(status, result);
  co_return result;
}

}  // namespace conductorai::infrastructure
