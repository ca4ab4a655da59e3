#include "infrastructure/releases/control_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "infrastructure/releases/durable_file.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLineMax = std::size_t{16} << 20;

/// A socket's address holds 107 bytes; a folder named by descriptor fits, however deep it lies.
struct Address {
  explicit Address(const fs::path& path) : folder(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    where.sun_family = AF_UNIX;
    const std::string name = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + path.filename().string();
    name.copy(where.sun_path, sizeof where.sun_path - 1);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&where); }
  UniqueFd folder;
  sockaddr_un where{};
};

UniqueFd unix_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// Errors: unavailable (ended before the line did).
task<Result<std::string>> read_line(runtime::Loop& loop, int fd) {
  std::string line;
  std::array<char, 16384> piece;
  for (;;) {
    auto ready = co_await loop.readable(fd);
    if (!ready) co_return fail(ready.error());
    const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) co_return fail(ErrorCode::unavailable, "the other side has gone");
    line.append(piece.data(), static_cast<std::size_t>(got));
    if (line.back() == '\n') break;
    if (line.size() > kLineMax) co_return fail(ErrorCode::invalid_argument, "the line is too long");
  }
  line.pop_back();
  co_return line;
}

task<Result<void>> write_line(runtime::Loop& loop, int fd, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    auto ready = co_await loop.writable(fd);
    if (!ready) co_return ready;
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) co_return fail(ErrorCode::unavailable, "the other side has gone");
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  co_return Result<void>{};
}

task<void> serve_one(runtime::Loop& loop, UniqueFd peer, AnswerCall answer) {
  auto line = co_await read_line(loop, peer.get());
  if (!line) co_return;
  std::string text = co_await answer(std::move(*line));
  (void)co_await write_line(loop, peer.get(), std::move(text));
}

}  // namespace

Result<UniqueFd> listen_at(const fs::path& path) {
  ::unlink(path.c_str());
  const Address address(path);
  UniqueFd fd = unix_socket();
  if (!fd || ::bind(fd.get(), address.get(), sizeof address.where) != 0 || ::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 64) != 0)
    return file_error("cannot make the supervisor's socket", path, errno);
  return fd;
}

task<void> serve_calls(runtime::Loop& loop, int listener, AnswerCall answer, runtime::TaskScope& calls) {
  for (;;) {
    auto ready = co_await loop.readable(listener);
    if (!ready) co_return;
    UniqueFd peer(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (peer) {
      calls.spawn(serve_one(loop, std::move(peer), answer));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      auto pause = co_await sleep_for(loop, std::chrono::milliseconds(100));  // no descriptor left
      if (!pause) co_return;
    }
  }
}

task<Result<std::string>> call(runtime::Loop& loop, fs::path path, std::string line) {
  UniqueFd fd = unix_socket();
  {
    const Address address(path);
    if (!fd || ::connect(fd.get(), address.get(), sizeof address.where) != 0)
      co_return fail(ErrorCode::unavailable, std::string("the releases' supervisor cannot be reached: ") + std::strerror(errno),
                     path.string());
  }
  if (auto sent = co_await write_line(loop, fd.get(), std::move(line)); !sent) co_return fail(sent.error());
  co_return co_await read_line(loop, fd.get());
}

}  // namespace conductorai::infrastructure::releases
