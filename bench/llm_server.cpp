#include "bench/llm_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "bench/loopback.hpp"

namespace conductorai::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kListeners = 4;  // on one port: the kernel bounds how many connections wait for each

}  // namespace

ServerLoop::ServerLoop(std::chrono::milliseconds delay) : delay_(delay), queue_(::epoll_create1(EPOLL_CLOEXEC)) {}

bool ServerLoop::listen() {
  int port = 0;
  for (int i = 0; i < kListeners; ++i) {
    listeners_.push_back(listen_on_loopback(port));
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
