#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "infrastructure/sandbox/probes.hpp"

namespace conductorai::infrastructure {

namespace {

/// Every process forks for ever. An end to it is made from outside or by the limit of tasks.
Attempt fork_bomb() {
  for (;;) {
    if (::fork() < 0) ::pause();
  }
}

Attempt memory_bomb() {
  constexpr std::size_t kPiece = std::size_t{8} << 20;
  for (std::size_t total = 0;; total += kPiece) {
    void* piece = ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) return denied("no more after " + std::to_string(total >> 20) + " MiB");
    std::memset(piece, 1, kPiece);
    if (total > std::size_t{2} << 30) return escaped("took 2 GiB");
  }
}

Attempt fill(const char* folder) {
  const std::vector<char> piece(std::size_t{1} << 20, 'x');
  std::size_t megabytes = 0;
  for (int file = 0; file < 10'000; ++file) {
    const std::string path = std::string(folder) + "/fill" + std::to_string(file);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    if (fd < 0) return denied(refusal("no more after " + std::to_string(megabytes) + " MiB"));
    for (int n = 0; n < 4; ++n, ++megabytes)
      if (::write(fd, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size()))
        return denied(refusal("no more after " + std::to_string(megabytes) + " MiB"));
    ::close(fd);
    if (megabytes > 1024) return escaped("wrote 1 GiB");
  }
  return escaped("wrote all it wanted");
}

Attempt fill_workspace() {
  return fill(".");
}
Attempt fill_tmp() {
  return fill("/tmp");
}

Attempt flood_output() {
  const std::string line(std::size_t{64} << 10, 'x');
  for (std::size_t total = 0; total < std::size_t{4} << 30; total += line.size())
    if (::write(1, line.data(), line.size()) < 0) return denied(refusal("print"));
  return escaped("printed 4 GiB");
}

Attempt ignore_signals() {
  for (int number = 1; number < 32; ++number) ::signal(number, SIG_IGN);
  for (;;) ::pause();
}

/// Two forks and a session of its own: the classic way out of a process group. The command line stays, and is looked for from outside.
Attempt daemon_outlives() {
  if (::fork() == 0) {
    ::setsid();
    if (::fork() == 0) {
      for (int fd = 0; fd < 3; ++fd) ::close(fd);
      for (;;) ::pause();
    }
    ::_exit(0);
  }
  ::wait(nullptr);
  return denied("the daemon it left behind died with it");
}

}  // namespace

ProbeTable greedy_probes() {
  return {{"fork-bomb", fork_bomb},       {"memory-bomb", memory_bomb},       {"fill-workspace", fill_workspace}, {"fill-tmp", fill_tmp},
          {"flood-output", flood_output}, {"ignore-signals", ignore_signals}, {"daemon", daemon_outlives}};
}

}  // namespace conductorai::infrastructure
