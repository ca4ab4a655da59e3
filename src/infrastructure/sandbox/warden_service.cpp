// The warden's side: launches, reaps, and ends all when its socket closes. Small on purpose: it runs as root where we do.

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>

#include "infrastructure/sandbox/supervisor.hpp"
#include "infrastructure/sandbox/warden.hpp"
#include "infrastructure/sandbox/warden_protocol.hpp"

namespace conductorai::infrastructure {

namespace {

using Reports = std::map<pid_t, UniqueFd>;

void copy_text(char (&to)[256], const std::string& from) {
  const std::size_t length = std::min(from.size(), sizeof to - 1);
  std::copy_n(from.data(), length, to);
  to[length] = '\0';
}

std::string content_of(int file) {
  struct stat info{};
  if (::fstat(file, &info) != 0) return {};
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  if (::pread(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  return bytes;
}

/// False when the other end is gone.
bool serve_one(int socket, Reports& reports) {
  char request = 0;
  std::vector<UniqueFd> received;
  const ssize_t got = receive_with(socket, &request, 1, received);
  if (got <= 0 || received.size() < 2) return false;
  std::vector<int> descriptors;
  for (std::size_t n = 2; n < received.size(); ++n) descriptors.push_back(received[n].get());
  auto pid = launch(unpack(content_of(received[0].get()), descriptors));
  Answer answer;
  std::vector<int> given;
  UniqueFd process;
  if (pid) {
    process = open_pidfd(*pid);
    given.push_back(process.get());
    reports[*pid] = std::move(received[1]);
  } else {
    answer.code = static_cast<int>(pid.error().code);
    copy_text(answer.message, pid.error().message);
    copy_text(answer.where, pid.error().where);
  }
  return send_with(socket, &answer, sizeof answer, given, true);
}

void reap(Reports& reports) {
  int status = 0;
  rusage usage{};
  for (pid_t pid = 0; (pid = ::wait4(-1, &status, WNOHANG, &usage)) > 0;) {
    const auto report = reports.find(pid);
    if (report == reports.end()) continue;  // an orphan of a sandbox
    const std::string text = std::to_string(usage.ru_maxrss) + "\n";
    (void)!::write(report->second.get(), text.data(), text.size());
    reports.erase(report);
  }
}

}  // namespace

int warden_main(int socket) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "sandbox-warden");
  const UniqueFd signals(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  Reports reports;
  for (bool serving = true; serving;) {
    pollfd waiting[2] = {{socket, POLLIN, 0}, {signals.get(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0) continue;
    for (signalfd_siginfo signal{}; ::read(signals.get(), &signal, sizeof signal) == sizeof signal;)
      serving = serving && signal.ssi_signo != SIGTERM;
    reap(reports);
    if (serving && waiting[0].revents != 0) serving = serve_one(socket, reports);
  }
  end_descendants();
  return 0;
}

}  // namespace conductorai::infrastructure
