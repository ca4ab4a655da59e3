#include "infrastructure/process/fd.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr int kPiecesPerTurn = 4;

/// write(2) whose SIGPIPE is swallowed: a library must not change the signal dispositions of the program it lives in, and a socket instead
/// of a pipe would break children that open /dev/stdin.
ssize_t write_without_sigpipe(int fd, std::string_view text) {
  sigset_t pipe_only;
  sigset_t before;
  sigset_t pending;
  ::sigemptyset(&pipe_only);
  ::sigaddset(&pipe_only, SIGPIPE);
  ::sigpending(&pending);
  const bool was_pending = ::sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  const ssize_t written = ::write(fd, text.data(), text.size());
  const int error = errno;
  if (written < 0 && error == EPIPE && !was_pending) {
    const timespec now{};
    while (::sigtimedwait(&pipe_only, nullptr, &now) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

}  // namespace

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::resource_exhausted, std::string("cannot make a pipe: ") + std::strerror(errno));
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void set_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

UniqueFd open_pidfd(int pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

task<void> read_to_end(runtime::Loop& loop, int fd, std::function<void(std::string_view)> sink) {
  std::vector<char> buffer(kPiece);
  set_nonblocking(fd);
  for (;;) {
    auto ready = co_await loop.readable(fd);
    if (!ready) co_return;
    for (int piece = 0; piece < kPiecesPerTurn; ++piece) {
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got > 0) {
        sink(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
        continue;
      }
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) break;
      co_return;
    }
  }
}

task<void> write_and_close(runtime::Loop& loop, UniqueFd fd, std::string text) {
  set_nonblocking(fd.get());
  std::string_view rest = text;
  while (!rest.empty()) {
    auto ready = co_await loop.writable(fd.get());
    if (!ready) co_return;
    const ssize_t written = write_without_sigpipe(fd.get(), rest);
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EAGAIN && errno != EINTR) {
      co_return;
    }
  }
}

}  // namespace conductorai::infrastructure
