#include "bench/llm_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace conductorai::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The kernel bounds how many connections wait to be accepted, for each socket that listens (net.core.somaxconn); several share a port.
constexpr int kListeners = 4;
constexpr int kBacklog = 16'384;

/// -1 when it cannot be had. `port` 0 becomes what the kernel chose.
int listener_at(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, kBacklog) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return -1;
  port = ntohs(at.sin_port);
  return fd;
}

}  // namespace

ServerLoop::ServerLoop(std::chrono::milliseconds delay) : delay_(delay), queue_(::epoll_create1(EPOLL_CLOEXEC)) {}

bool ServerLoop::listen() {
  int port = 0;
  for (int i = 0; i < kListeners; ++i) {
    listeners_.push_back(listener_at(port));
    if (listeners_.back() < 0) return false;
    watch(listeners_.back(), EPOLLIN, false);
  }
  std::printf("%d\n", port);
  std::fflush(stdout);
  return true;
}

void ServerLoop::watch(int fd, unsigned events, bool known) const {
  epoll_event event{.events = events, .data = {.fd = fd}};
  ::epoll_ctl(queue_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

void ServerLoop::owe(int fd, unsigned serial, int item) {
  owed_.push_back({Clock::now() + delay_, fd, serial, item});
}

void ServerLoop::accept_all(int listener, const Handlers& handlers) const {
  for (int fd = -1; (fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd, EPOLLIN, false);
    handlers.accepted(fd);
  }
}

void ServerLoop::run(const Handlers& handlers) {
  std::array<epoll_event, 256> events{};
  for (;;) {
    const auto wait =
        owed_.empty() ? -1
                      : std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(owed_.front().at - Clock::now()).count());
    const int ready = ::epoll_wait(queue_, events.data(), static_cast<int>(events.size()), static_cast<int>(wait));
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (std::ranges::find(listeners_, event.data.fd) != listeners_.end())
        accept_all(event.data.fd, handlers);
      else
        handlers.ready(event.data.fd, event.events);
    }
    for (const auto now = Clock::now(); !owed_.empty() && owed_.front().at <= now;) {
      const Due due = owed_.front();
      owed_.pop_front();
      handlers.due(due);
    }
    handlers.turn_ended();
  }
}

}  // namespace conductorai::bench
