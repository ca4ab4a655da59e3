#include "infrastructure/releases/supervisor_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "infrastructure/process/lookup.hpp"
#include "infrastructure/process/spawn.hpp"
#include "infrastructure/releases/app_supervisor.hpp"
#include "infrastructure/releases/calls.hpp"
#include "infrastructure/releases/container_driver.hpp"
#include "infrastructure/releases/container_guard.hpp"
#include "infrastructure/releases/control_socket.hpp"
#include "infrastructure/releases/durable_file.hpp"
#include "infrastructure/releases/namespace_door.hpp"
#include "infrastructure/releases/process_driver.hpp"
#include "infrastructure/sandbox/sandbox_exec.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr int kReadyFd = 3;  // the place of `ready` among the descriptors of a supervisor
constexpr std::chrono::seconds kStartWithin{30};
constexpr std::chrono::seconds kFirstCallWithin{60};
constexpr std::chrono::seconds kFolderLook{2};
constexpr off_t kOwnLogMax = 1 << 20;

/// What a process that lives for months may keep of the environment of the run that happened to start it: no keys, no proxies.
std::vector<std::string> environment_kept() {
  constexpr std::array kNames{"PATH",
                              "HOME",
                              "USER",
                              "LANG",
                              "LC_ALL",
                              "TZ",
                              "TMPDIR",
                              "CONDUCTORAI_CRASH_AT",
                              "CONDUCTORAI_CRASH_MARK",
                              "ASAN_OPTIONS",
                              "UBSAN_OPTIONS",
                              "LSAN_OPTIONS",
                              "TSAN_OPTIONS"};
  std::vector<std::string> kept;
  for (const char* name : kNames)
    if (const char* value = std::getenv(name)) kept.insert(kept.end(), std::string(name) + "=" + value);
  return kept;
}

int spawn(const AppFolder& folder, const fs::path& helper, int log, int ready, pid_t& pid) {
  return spawn_process(
      {.program = helper.string(),
       .argv = {"conductorai", "__release-supervisor", folder.state_dir().string(), folder.name(), std::to_string(kReadyFd)},
       .environment = environment_kept(),
       .working_directory = "/",
       .descriptors = {-1, log, log, ready}},
      pid);
}

/// Its own words, not the service's; begun anew when it has grown large.
UniqueFd open_own_log(const fs::path& file) {
  UniqueFd log(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat info{};
  if (log && ::fstat(log.get(), &info) == 0 && info.st_size > kOwnLogMax) (void)!::ftruncate(log.get(), 0);
  return log;
}

task<Result<std::string>> read_word(runtime::Loop& loop, int fd) {
  std::string word;
  co_await read_to_end(loop, fd, [&word](std::string_view piece) { word += piece; });
  const TaskEnvironment environment = co_await current_environment();
  if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  co_return word;
}

}  // namespace

task<Result<void>> start_supervisor(runtime::Loop& loop, AppFolder folder, fs::path helper) {
  if (auto made = folder.make(); !made) co_return made;
  auto pipe = make_pipe();
  if (!pipe) co_return fail(pipe.error());
  const UniqueFd log = open_own_log(folder.path() / "supervisor.log");
  if (!log) co_return file_error("cannot write the supervisor's log", folder.path() / "supervisor.log", errno);
  pid_t pid = -1;
  if (const int error = spawn(folder, helper, log.get(), pipe->write.get(), pid); error != 0)
    co_return fail(ErrorCode::unavailable, std::string("cannot start the releases' supervisor: ") + std::strerror(error));
  pipe->write.reset();
  // What was started leaves at once; its child, which is nobody's, goes on.
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  auto word = co_await runtime::with_deadline(loop, kStartWithin, "the releases' supervisor", read_word(loop, pipe->read.get()));
  if (!word) co_return fail(word.error());
  if (*word == "ready" || *word == "taken") co_return Result<void>{};
  co_return fail(ErrorCode::unavailable, "the releases' supervisor cannot start" + (word->empty() ? std::string() : ": " + *word),
                 (folder.path() / "supervisor.log").string());
}

namespace {

void say(UniqueFd& ready, std::string_view word) {
  (void)!::write(ready.get(), word.data(), word.size());
  ready.reset();
}

/// Two descriptors a connection.
void raise_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8192);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

struct Service {
  AppSupervisor app;
  bool asked_to_end = false;
  bool abandoned = false;  // its folder is gone
};

/// Whoever deletes the state directory deletes the app: a service that no command can find any more must not go on for ever.
task<void> watch_folder(runtime::Loop& loop, int lock, Service& service) {
  struct stat info{};
  while (::fstat(lock, &info) == 0 && info.st_nlink > 0) {
    auto slept = co_await sleep_for(loop, kFolderLook);
    if (!slept) co_return;
  }
  service.abandoned = service.asked_to_end = true;
}

/// A hang-up or Ctrl-C of whatever terminal is left to us means somebody else; SIGTERM means us.
task<void> watch_signals(runtime::Loop& loop, int signals, Service& service) {
  while (!service.asked_to_end) {
    auto ready = co_await loop.readable(signals);
    if (!ready) co_return;
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGTERM) {
      std::fprintf(stderr, "supervisor %d: SIGTERM from process %u\n", ::getpid(), info.ssi_pid);
      service.asked_to_end = true;
    }
  }
}

sigset_t handled_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2}) ::sigaddset(&set, number);
  return set;
}

Result<AppState> read_or_new(const AppFolder& folder) {
  auto state = load_state(folder.state_file());
  if (!state && state.error().code == ErrorCode::not_found) return AppState{};
  return state;
}

int serve(const AppFolder& folder, AppState state, UniqueFd lock, UniqueFd listener, UniqueFd ready) {
  const sigset_t handled = handled_signals();
  const UniqueFd signals(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  runtime::Loop loop;
  Drivers drivers;
  drivers["container"] = make_container_driver(loop, own_environment(), "/proc/self/exe");
  drivers["process"] = make_process_driver(loop, folder.state_dir(), "/proc/self/exe");
  Service service{.app = {loop, loop, folder, std::move(state), std::move(drivers)}};
  runtime::TaskScope calls(loop);
  runtime::TaskScope doors(loop);
  doors.spawn(watch_signals(loop, signals.get(), service));
  doors.spawn(watch_folder(loop, lock.get(), service));
  const AnswerCall answer = [&service](std::string line) { return answer_call(service.app, std::move(line)); };
  doors.spawn(serve_calls(loop, listener.get(), answer, calls));
  say(ready, "ready");
  // Not before the first call: somebody started us to say something, unless they died over it.
  bool called = false;
  auto alone = loop.call_after(kFirstCallWithin, [&called] { called = true; });
  loop.run_until([&] {
    called = called || calls.running() > 0;
    return service.asked_to_end || (called && calls.running() == 0 && service.app.idle());
  });
  std::fprintf(stderr, "supervisor %d ends: %s\n", ::getpid(),
               service.abandoned      ? "its folder is gone"
               : service.asked_to_end ? "it was asked to"
                                      : "nothing serves");
  doors.cancel();
  calls.cancel();
  runtime::run_to_end(loop, doors.join());
  runtime::run_to_end(loop, calls.join());
  runtime::run_to_end(loop, service.app.close());
  std::error_code ignored;
  fs::remove(folder.socket(), ignored);
  if (service.abandoned) runtime::run_to_end(loop, service.app.forget());
  if (service.abandoned) fs::remove_all(folder.files_root(), ignored);
  return 0;
}

}  // namespace

int supervisor_main(const fs::path& state_dir, const std::string& name, int ready_fd) {
  if (const pid_t child = ::fork(); child != 0) ::_exit(child < 0 ? 1 : 0);
  ::umask(022);  // the sandbox's user must come to what is made for it; what must be private says so
  ::fcntl(ready_fd, F_SETFD, FD_CLOEXEC);
  UniqueFd ready(ready_fd);
  const sigset_t handled = handled_signals();
  ::sigprocmask(SIG_BLOCK, &handled, nullptr);
  raise_descriptors();
  const AppFolder folder(state_dir, name);
  auto lock = folder.lock();
  if (!lock) return say(ready, to_string(lock.error())), 1;
  if (!*lock) return say(ready, "taken"), 0;
  auto state = read_or_new(folder);
  if (!state) return say(ready, to_string(state.error())), 1;
  auto listener = listen_at(folder.socket());
  if (!listener) return say(ready, to_string(listener.error())), 1;
  return serve(folder, std::move(*state), std::move(*lock), std::move(*listener), std::move(ready));
}

bool is_release_exec(int argc, char** argv) {
  if (argc < 2) return false;
  const std::string_view mode = argv[1];
  return mode == "__release-supervisor" || mode == "__release-door" || mode == "__release-guard";
}

int release_exec_main(int argc, char** argv) {
  if (argc != 5) return 2;
  if (std::string_view(argv[1]) == "__release-supervisor") return supervisor_main(argv[2], argv[3], std::atoi(argv[4]));
  if (std::string_view(argv[1]) == "__release-guard") return container_guard_main(argv[2], argv[3]);
  return namespace_door_main(std::atoi(argv[2]), static_cast<uid_t>(std::atol(argv[3])), static_cast<gid_t>(std::atol(argv[4])), 3);
}

}  // namespace conductorai::infrastructure::releases
