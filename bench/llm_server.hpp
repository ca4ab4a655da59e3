#pragma once
// The inside of the service's process: one epoll loop that accepts, reads requests, and answers when it is time.

#include <sys/epoll.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>

namespace conductorai::bench {

inline constexpr const char* kCertificateFile = "certificate.pem";

/// They serve until they are killed; an exit code when they cannot listen.
int serve_http1(bool streams);
int serve_http2(const std::filesystem::path& folder);

/// What is owed to a connection, always `delay` after it was asked for, so that the first in is the first due.
struct Due {
  std::chrono::steady_clock::time_point at;
  int fd = -1;
  unsigned serial = 0;  // of the connection: a descriptor's number is used again
  int item = 0;         // what of it: the next piece, the stream
};

/// Sockets and times; what is said over a connection is the caller's.
class ServerLoop {
 public:
  explicit ServerLoop(std::chrono::milliseconds delay);
  /// Prints the port. False when it cannot listen.
  bool listen();
  void owe(int fd, unsigned serial, int item);
  /// `accepted` takes a new connection, `ready` its epoll events, `due` what is owed; `turn_ended` comes after all of one turn.
  struct Handlers {
    std::function<void(int fd)> accepted;
    std::function<void(int fd, unsigned events)> ready;
    std::function<void(const Due&)> due;
    std::function<void()> turn_ended;
  };
  [[noreturn]] void run(const Handlers& handlers);
  void watch(int fd, unsigned events, bool known) const;

 private:
  void accept_all(int listener, const Handlers& handlers) const;
  std::chrono::milliseconds delay_;
  int queue_;
  std::deque<int> listeners_;
  std::deque<Due> owed_;
};

}  // namespace conductorai::bench
