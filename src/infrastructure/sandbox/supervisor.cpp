#include "infrastructure/sandbox/supervisor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "infrastructure/sandbox/process_tree.hpp"

namespace conductorai::infrastructure {

namespace {

void tell(int fd, const char* what, int number) {
  const std::string text = std::string(what) + " " + std::to_string(number) + "\n";
  (void)!::write(fd, text.data(), text.size());
}

[[noreturn]] void become(char** argv, int status_fd, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(argv[0], argv);
  tell(status_fd, "errno", errno);
  ::_exit(127);
}

/// Waits for the program or for SIGTERM; true when the program ended.
bool program_ended(pid_t program, int& status) {
  sigset_t awaited;
  ::sigemptyset(&awaited);
  ::sigaddset(&awaited, SIGCHLD);
  ::sigaddset(&awaited, SIGTERM);
  for (;;) {
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == program) return true;
    if (::sigwaitinfo(&awaited, nullptr) == SIGTERM) return false;
  }
}

}  // namespace

// A child may fork between our look and our blow; so until there is none left.
void end_descendants() {
  for (;;) {
    for (const pid_t pid : descendants(::getpid())) ::kill(pid, SIGKILL);
    const pid_t reaped = ::waitpid(-1, nullptr, 0);
    if (reaped < 0 && errno == ECHILD) return;
  }
}

int supervise(char** argv) {
  const int status_fd = std::atoi(argv[0]);
  if (status_fd <= 2 || argv[1] == nullptr) return 2;
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // The status pipe is ours alone: the program must not write its own verdict.
  const int own_status = ::fcntl(status_fd, F_DUPFD_CLOEXEC, 3);
  ::close(status_fd);
  const pid_t self = ::getpid();
  const pid_t program = ::fork();
  if (program < 0) return 2;
  if (program == 0) become(argv + 1, own_status, self);
  int status = 0;
  const bool ended = program_ended(program, status);
  end_descendants();
  if (ended && WIFEXITED(status))
    tell(own_status, "exit", WEXITSTATUS(status));
  else
    tell(own_status, "signal", ended ? WTERMSIG(status) : SIGKILL);
  return 0;
}

}  // namespace conductorai::infrastructure
