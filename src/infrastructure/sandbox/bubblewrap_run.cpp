#include "infrastructure/sandbox/bubblewrap_run.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "infrastructure/sandbox/bubblewrap_args.hpp"
#include "infrastructure/sandbox/bubblewrap_errors.hpp"
#include "infrastructure/sandbox/seccomp_filter.hpp"

namespace conductorai::infrastructure {

namespace {

// The child's descriptors after 0, 1, 2.
enum Inherited : int { kArgsFd = 3, kStatusFd, kBlockFd, kSeccompFd };

Result<UniqueFd> file_of(std::string_view bytes) {
  UniqueFd fd(::memfd_create("conductorai", MFD_CLOEXEC));
  if (!fd || ::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::lseek(fd.get(), 0, SEEK_SET) != 0)
    return fail(ErrorCode::resource_exhausted, std::string("cannot keep data in memory: ") + std::strerror(errno));
  return fd;
}

Result<Given> give(const SandboxCommand& command, const EtcFolder& etc) {
  const auto filter = seccomp_filter();
  if (!filter) return fail(filter.error());
  auto args = bubblewrap_args(command, {kStatusFd, kBlockFd, kSeccompFd, etc.path(), etc.folders()});
  if (!args) return fail(args.error());
  // By descriptor, not on the command line: that is readable for every user of the machine, and holds the environment.
  std::string packed;
  for (const auto& arg : *args) packed.append(arg).push_back('\0');

  Given given;
  for (const std::string_view content : {std::string_view(packed), std::string_view(*filter)}) {
    auto file = file_of(content);
    if (!file) return fail(file.error());
    given.files.push_back(std::move(*file));
  }
  auto status = make_pipe();
  if (!status) return fail(status.error());
  auto block = make_pipe();
  if (!block) return fail(block.error());
  given.status = std::move(*status);
  given.block = std::move(*block);
  return given;
}

std::vector<int> descriptors_of(const Pipes& pipes, const Given& given) {
  std::vector<int> out{pipes.in.get(),       pipes.out.get(),          pipes.err.get(),
                       given.files[0].get(), given.status.write.get(), given.block.read.get()};
  for (std::size_t n = 1; n < given.files.size(); ++n) out.push_back(given.files[n].get());
  return out;
}

std::optional<int> number_after(std::string_view text, std::string_view label) {
  const auto at = text.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + label.size());
  text.remove_prefix(std::min(text.find_first_not_of(": "), text.size()));
  int value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

/// Waits until every process of the sandbox is gone: the first process of a PID namespace ends after all others.
task<void> until_gone(runtime::Loop& loop, const Cage& cage) {
  cage.kill();
  (void)co_await loop.readable(cage.outer());
  if (cage.inner() >= 0) (void)co_await loop.readable(cage.inner());
}

}  // namespace

void Cage::kill() const {
  for (const int fd : {inner_.get(), outer_.get()})
    if (fd >= 0) ::syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
}

Result<LaunchSpec> BubblewrapRun::prepare(const SandboxCommand& command, const std::string& bubblewrap, const EtcFolder& etc) {
  auto pipes = make_pipes(!command.stdin_text.empty());
  if (!pipes) return fail(pipes.error());
  auto given = give(command, etc);
  if (!given) return fail(given.error());
  pipes_ = std::move(*pipes);
  given_ = std::move(*given);

  LaunchSpec spec;
  spec.program = bubblewrap;
  spec.argv = {"bwrap", "--args", std::to_string(kArgsFd), "--"};
  spec.argv.insert(spec.argv.end(), command.argv.begin(), command.argv.end());
  spec.working_directory = "/";
  spec.descriptors = descriptors_of(pipes_, given_);
  spec.user = grounds_.user();
  spec.limits = rlimits_of(command.limits);
  if (cgroup_) {
    spec.cgroup_tasks = cgroup_->tasks();
    spec.cgroup_folder = cgroup_->folder();
  }
  return spec;
}

task<Result<Warden::Launched>> BubblewrapRun::start(LaunchSpec spec) {
  auto launched = co_await warden_.launch(spec);
  if (!launched && launched.error().where == "cgroup") {
    // A cgroup that cannot be joined after all is done without.
    cgroup_.reset();
    spec.cgroup_tasks.clear();
    spec.cgroup_folder = -1;
    launched = co_await warden_.launch(std::move(spec));
  }
  pipes_.in.reset();
  pipes_.out.reset();
  pipes_.err.reset();
  given_.status.write.reset();
  given_.block.read.reset();
  given_.files.clear();
  co_return launched;
}

namespace {

task<void> read_status(runtime::Loop& loop, int fd, std::string& status, runtime::Event& told) {
  co_await read_to_end(loop, fd, [&status, &told](std::string_view piece) {
    status += piece;
    if (piece.find('\n') != std::string_view::npos) told.set();
  });
  told.set();
}

task<void> read_report(runtime::Loop& loop, int fd, std::string& report) {
  co_await read_to_end(loop, fd, [&report](std::string_view piece) { report += piece; });
}

std::int64_t peak_of(std::string_view report) {
  std::int64_t kib = 0;
  std::from_chars(report.data(), report.data() + report.size(), kib);
  return kib;
}

}  // namespace

/// bubblewrap waits behind the block pipe until its first process has a limit of tasks.
task<Result<void>> BubblewrapRun::release(const SandboxCommand& command, Cage& cage, Watchdog& watchdog, runtime::TaskScope& watch) {
  auto told = co_await status_told_.wait();
  if (!told) co_return told;
  const auto init = number_after(status_, "\"child-pid\"");
  if (!init) co_return Result<void>{};  // it failed: its words are on stderr
  cage.found_init(*init);
  auto limited = limit_tasks(*init, static_cast<std::uint64_t>(task_cap(command.limits)), grounds_.user());
  if (!limited) co_return limited;
  if (grounds_.options.on_start) grounds_.options.on_start(*init);
  watchdog.follow(std::make_unique<NamespaceTree>(*init));
  watch.spawn(watchdog.watch());
  const char go = 1;
  (void)!::write(given_.block.write.get(), &go, 1);
  given_.block.write.reset();
  co_return Result<void>{};
}

task<Result<CommandResult>> BubblewrapRun::perform(SandboxCommand command, std::string bubblewrap, const EtcFolder& etc) {
  const TaskEnvironment environment = co_await current_environment();
  runtime::Loop& loop = grounds_.loop;
  auto spec = prepare(command, bubblewrap, etc);
  if (!spec) co_return fail(spec.error());
  auto launched = co_await start(std::move(*spec));
  if (!launched) co_return fail(launched.error());
  Cage cage(std::move(launched->process));
  Watchdog watchdog(loop, grounds_.worker, command, grounds_.options.watch_every, [&cage] { cage.kill(); });
  const auto started = loop.steady_now();

  runtime::TaskScope pumps(loop);
  runtime::TaskScope watch(loop);
  CancelSource stop_writing;
  outputs_.pump(loop, pumps, stop_writing, pipes_, watchdog, std::move(command.stdin_text));
  pumps.spawn(read_status(loop, given_.status.read.get(), status_, status_told_));
  std::string report;
  pumps.spawn(read_report(loop, launched->report.get(), report));

  auto ended = co_await release(command, cage, watchdog, watch);
  if (ended) ended = co_await loop.readable(cage.outer());
  co_await runtime::shielded(until_gone(loop, cage));
  watch.cancel();
  stop_writing.cancel();
  co_await watch.join();
  // Nobody inside is left to hold a pipe; the cut is for what can only be a defect.
  auto cut = loop.call_after(std::chrono::seconds(2), [&pumps] { pumps.cancel(); });
  co_await pumps.join();
  cut.reset();
  if (environment.cancelled()) ended = fail(ErrorCode::cancelled, "cancelled");
  if (!ended) {
    outputs_.leave_to(command.stopped);
    co_return fail(ended.error());
  }
  auto result = result_of(command, peak_of(report), watchdog);
  if (result) result->duration_ms = std::chrono::duration_cast<Milliseconds>(loop.steady_now() - started).count();
  co_return result;
}

Result<CommandResult> BubblewrapRun::result_of(const SandboxCommand& command, std::int64_t peak_kib, const Watchdog& watchdog) {
  CommandResult result;
  result.exceeded = watchdog.exceeded();
  result.out = outputs_.out.take();
  result.err = outputs_.err.take();
  const auto code = number_after(status_, "\"exit-code\"");
  if (!code && !result.exceeded && !(cgroup_ && cgroup_->out_of_memory())) {
    // bubblewrap tells an exit code only of a program that was started; without one, what stands on stderr are its own words.
    outputs_.discard();
    return fail(bubblewrap_error(result.err.head, command));
  }
  if (code && !result.exceeded)
    take_exit_code(*code, result);
  else
    result.signal = SIGKILL;
  if (!result.exceeded && cgroup_ && cgroup_->out_of_memory()) result.exceeded = "memory";
  name_exceeded_rlimit(result);
  if (!result.ok() && !result.exceeded && cgroup_ && cgroup_->out_of_tasks()) result.exceeded = "processes";
  result.peak_rss_bytes = std::max<std::int64_t>(watchdog.peak_memory_bytes(), peak_kib * 1024);
  result.enforced_by = cgroup_ ? "cgroup v" + std::to_string(cgroup_->version()) + "+rlimits+watchdog" : "rlimits+watchdog";
  return result;
}

}  // namespace conductorai::infrastructure
