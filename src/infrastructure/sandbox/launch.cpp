#include "infrastructure/sandbox/launch.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/process/spawn.hpp"

// Between vfork and exec the child shares our memory: it makes system calls by number, allocates nothing, and no sanitizer or libc wrapper
// (glibc's setuid signals every thread of the process) gets a say.
#define CONDUCTORAI_IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread"), noinline))

namespace conductorai::infrastructure {

namespace {

enum class Stage : int { session, cgroup, limits, descriptors, user, parent, folder, exec };
constexpr std::array<const char*, 8> kStages{"session", "cgroup", "limits", "descriptors", "user", "parent", "folder", "exec"};

struct Failure {
  Stage stage;
  int error;
};

struct KernelSigaction {  // the kernel's, not libc's
  void* handler;
  unsigned long flags;
  void* restorer;
  std::uint64_t mask;
};

/// All the child needs, as plain memory made before the fork.
struct Prepared {
  const char* program;
  char** argv;
  char** envp;
  const char* folder;  // null: ours
  const int* descriptors;
  int descriptor_count;
  int away;  // above every descriptor of the parent that matters
  const int* cgroup_tasks;
  int cgroup_count;
  int cgroup_folder;  // -1: none
  const ResourceLimit* limits;
  int limit_count;
  bool drop;
  uid_t uid;
  gid_t gid;
  pid_t parent;
  int death_signal;
  int report;  // write end of the failure pipe
};

[[noreturn]] CONDUCTORAI_IN_CHILD void give_up(int report, Stage stage) {
  const Failure failure{stage, errno};
  ::syscall(SYS_write, report, &failure, sizeof failure);
  ::syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}

CONDUCTORAI_IN_CHILD void default_signals() {
  KernelSigaction action{};
  for (int number = 1; number <= 64; ++number) ::syscall(SYS_rt_sigaction, number, &action, nullptr, 8);
}

CONDUCTORAI_IN_CHILD void offer_to_oom_killer() {
  const long fd = ::syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return;
  ::syscall(SYS_write, fd, "500", 3);
  ::syscall(SYS_close, fd);
}

/// First all up out of the way, then down to their places; the failure pipe goes just above them.
CONDUCTORAI_IN_CHILD int place_descriptors(const Prepared& p) {
  for (int n = 0; n < p.descriptor_count; ++n) {
    const long away = ::syscall(SYS_dup3, p.descriptors[n], p.away + n, 0);
    if (away < 0) give_up(p.report, Stage::descriptors);
  }
  const int report = p.away + p.descriptor_count;
  if (::syscall(SYS_dup3, p.report, report, O_CLOEXEC) < 0) give_up(p.report, Stage::descriptors);
  for (int n = 0; n < p.descriptor_count; ++n)
    if (::syscall(SYS_dup3, p.away + n, n, 0) < 0) give_up(report, Stage::descriptors);
  if (::syscall(SYS_dup3, report, p.descriptor_count, O_CLOEXEC) < 0) give_up(report, Stage::descriptors);
  if (::syscall(SYS_close_range, p.descriptor_count + 1, ~0U, 0) < 0)
    for (int fd = p.descriptor_count + 1; fd < 4096; ++fd) ::syscall(SYS_close, fd);
  return p.descriptor_count;
}

CONDUCTORAI_IN_CHILD void drop_user(const Prepared& p, int report) {
  if (!p.drop) return;
  if (::syscall(SYS_setgroups, 0, nullptr) < 0) give_up(report, Stage::user);
  if (::syscall(SYS_setresgid, p.gid, p.gid, p.gid) < 0) give_up(report, Stage::user);
  if (::syscall(SYS_setresuid, p.uid, p.uid, p.uid) < 0) give_up(report, Stage::user);
}

[[noreturn]] CONDUCTORAI_IN_CHILD void become(const Prepared& p) {
  default_signals();
  if (::syscall(SYS_setsid) < 0) give_up(p.report, Stage::session);
  offer_to_oom_killer();  // before the change of user: /proc/self is root's
  for (int n = 0; n < p.cgroup_count; ++n)
    if (::syscall(SYS_write, p.cgroup_tasks[n], "0", 1) < 0) give_up(p.report, Stage::cgroup);
  const int report = place_descriptors(p);
  for (int n = 0; n < p.limit_count; ++n) {
    const std::uint64_t both[2] = {p.limits[n].value, p.limits[n].value};
    if (::syscall(SYS_prlimit64, 0, p.limits[n].resource, both, nullptr) < 0) give_up(report, Stage::limits);
  }
  drop_user(p, report);
  // A change of user clears the parent-death signal, so it comes after; a parent that died before cannot send it any more.
  if (::syscall(SYS_prctl, PR_SET_PDEATHSIG, p.death_signal, 0, 0, 0) < 0) give_up(report, Stage::parent);
  if (::syscall(SYS_getppid) != p.parent) ::syscall(SYS_exit_group, 127);
  if (p.folder != nullptr && ::syscall(SYS_chdir, p.folder) < 0) give_up(report, Stage::folder);
  const std::uint64_t no_signals = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr, 8);
  ::syscall(SYS_execve, p.program, p.argv, p.envp);
  give_up(report, Stage::exec);
}

CONDUCTORAI_IN_CHILD pid_t fork_and_become(const Prepared& p) {
  if (p.cgroup_folder < 0) {
    const pid_t pid = ::vfork();  // NOLINT(bugprone-unsafe-functions): see launch.hpp
    if (pid == 0) become(p);
    return pid;
  }
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<std::uint64_t>(p.cgroup_folder);
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) become(p);
  return static_cast<pid_t>(pid);
}

/// Never above what we may have: raising needs a capability.
std::vector<ResourceLimit> clamped(std::vector<ResourceLimit> limits) {
  for (auto& limit : limits) {
    rlimit now{};
    if (::getrlimit(static_cast<__rlimit_resource>(limit.resource), &now) == 0)
      limit.value = std::min<std::uint64_t>(limit.value, now.rlim_max);
  }
  return limits;
}

std::unexpected<Error> explain(const LaunchSpec& spec, const Failure& failure) {
  const std::string reason = std::strerror(failure.error);
  if (failure.stage == Stage::exec && failure.error == ENOENT) return fail(ErrorCode::not_found, "no such program", spec.program);
  if (failure.stage == Stage::exec && failure.error == EACCES)
    return fail(ErrorCode::permission_denied, "the program cannot be executed by the sandbox's user", spec.program);
  return fail(ErrorCode::unavailable, "cannot start " + spec.program + ": " + reason, kStages[static_cast<std::size_t>(failure.stage)]);
}

/// A signal handler of ours running in the child would run in our memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

Result<pid_t> launch(const LaunchSpec& spec) {
  auto report = make_pipe();
  if (!report) return fail(report.error());
  auto argv_texts = spec.argv;
  auto environment_texts = spec.environment;
  auto argv = c_strings(argv_texts);
  auto envp = c_strings(environment_texts);
  const auto limits = clamped(spec.limits);
  const std::string folder = spec.working_directory.string();
  std::vector<int> in_use = spec.descriptors;
  in_use.push_back(report->write.get());
  in_use.insert(in_use.end(), spec.cgroup_tasks.begin(), spec.cgroup_tasks.end());
  const Prepared prepared{spec.program.c_str(),
                          argv.data(),
                          envp.data(),
                          folder.empty() ? nullptr : folder.c_str(),
                          spec.descriptors.data(),
                          static_cast<int>(spec.descriptors.size()),
                          std::max(*std::ranges::max_element(in_use), 99) + 1,
                          spec.cgroup_tasks.data(),
                          static_cast<int>(spec.cgroup_tasks.size()),
                          spec.cgroup_folder,
                          limits.data(),
                          static_cast<int>(limits.size()),
                          spec.user.has_value(),
                          spec.user ? spec.user->uid : 0,
                          spec.user ? spec.user->gid : 0,
                          ::getpid(),
                          spec.death_signal,
                          report->write.get()};
  pid_t pid = -1;
  {
    const AllSignalsBlocked blocked;
    pid = fork_and_become(prepared);
  }
  if (pid < 0)
    return fail(ErrorCode::unavailable, std::string("cannot start a process: ") + std::strerror(errno),
                spec.cgroup_folder < 0 ? "" : kStages[static_cast<std::size_t>(Stage::cgroup)]);
  report->write.reset();
  Failure failure{};
  ssize_t got = 0;
  while ((got = ::read(report->read.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (got != sizeof failure) return pid;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return explain(spec, failure);
}

namespace {

CONDUCTORAI_IN_CHILD pid_t fork_and_limit(pid_t target, const std::uint64_t* both, bool drop, uid_t uid, gid_t gid) {
  const pid_t pid = ::vfork();  // NOLINT(bugprone-unsafe-functions): see launch.hpp
  if (pid != 0) return pid;
  if (drop && (::syscall(SYS_setgroups, 0, nullptr) < 0 || ::syscall(SYS_setresgid, gid, gid, gid) < 0 ||
               ::syscall(SYS_setresuid, uid, uid, uid) < 0))
    ::syscall(SYS_exit_group, 1);
  ::syscall(SYS_exit_group, ::syscall(SYS_prlimit64, target, RLIMIT_NPROC, both, nullptr) < 0 ? 1 : 0);
  __builtin_unreachable();
}

}  // namespace

Result<void> limit_tasks(pid_t pid, std::uint64_t tasks, std::optional<RunAs> user) {
  const std::uint64_t both[2] = {tasks, tasks};
  if (::syscall(SYS_prlimit64, pid, RLIMIT_NPROC, both, nullptr) == 0) return {};
  int status = 0;
  {
    const AllSignalsBlocked blocked;
    const pid_t helper = fork_and_limit(pid, both, user.has_value(), user ? user->uid : 0, user ? user->gid : 0);
    if (helper < 0) return fail(ErrorCode::unavailable, std::string("cannot start a process: ") + std::strerror(errno));
    while (::waitpid(helper, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (status != 0) return fail(ErrorCode::unavailable, "cannot limit the number of processes in the sandbox");
  return {};
}

}  // namespace conductorai::infrastructure
