#pragma once
// File descriptors with an owner, and the non-blocking pipe pumps that process and sandbox share.

#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
/// Both ends close-on-exec and blocking. Errors: resource_exhausted.
Result<Pipe> make_pipe();
/// Never on an end that a child gets: the flag belongs to the open file, not to the descriptor.
void set_nonblocking(int fd);

/// The file of a descriptor on the process `pid`; invalid when it is gone.
UniqueFd open_pidfd(int pid);

/// Reads `fd` to its end, handing each piece to `sink`; ends early when cancelled. Yields to the loop after each 256 KiB, so that a flood
/// starves nobody.
task<void> read_to_end(runtime::Loop& loop, int fd, std::function<void(std::string_view)> sink);
/// Writes `text` and closes. A reader that went away ends it quietly, without SIGPIPE.
task<void> write_and_close(runtime::Loop& loop, UniqueFd fd, std::string text);

}  // namespace conductorai::infrastructure
