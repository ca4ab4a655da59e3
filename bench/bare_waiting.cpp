#include "bench/bare_waiting.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <deque>

#include "base/descriptor_limit.hpp"
#include "bench/loopback.hpp"

namespace conductorai::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Answers each connection with one byte, one second after it came.
[[noreturn]] void serve(int listener) {
  const int queue = ::epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  ::epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event);
  std::deque<std::pair<Clock::time_point, int>> due;
  std::array<epoll_event, 256> events{};
  for (;;) {
    const auto wait =
        due.empty() ? -1
                    : std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(due.front().first - Clock::now()).count());
    const int ready = ::epoll_wait(queue, events.data(), static_cast<int>(events.size()), static_cast<int>(wait));
    for (int i = 0; i < ready; ++i)
      for (int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK); fd >= 0;
           fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK))
        due.emplace_back(Clock::now() + std::chrono::seconds(1), fd);
    for (; !due.empty() && due.front().first <= Clock::now(); due.pop_front()) {
      (void)!::write(due.front().second, "x", 1);
      ::close(due.front().second);
    }
  }
}

std::int64_t read_all(int port, int connections) {
  const int queue = ::epoll_create1(0);
  int open = 0;
  std::int64_t answered = 0;
  for (int i = 0; i < connections; ++i) {
    const int fd = connect_to_loopback(port);
    if (fd < 0) continue;
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
    ++open;
  }
  std::array<epoll_event, 256> events{};
  while (open > 0) {
    const int ready = ::epoll_wait(queue, events.data(), static_cast<int>(events.size()), 10'000);
    if (ready <= 0) break;
    for (int i = 0; i < ready; ++i) {
      char byte = 0;
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (::read(fd, &byte, 1) == 1) ++answered;
      ::close(fd);
      --open;
    }
  }
  ::close(queue);
  return answered;
}

}  // namespace

Measurement bare_epoll_client(int connections) {
  raise_descriptor_limit();
  int port = 0;
  const int listener = listen_on_loopback(port);
  Measurement out{.work = "waiting", .variant = "bare epoll client", .n = connections, .in_flight = connections};
  if (listener < 0) {
    out.errors = connections;
    return out;
  }
  const pid_t server = ::fork();
  if (server == 0) serve(listener);
  ::close(listener);
  const Stopwatch watch;
  out.errors = connections - read_all(port, connections);
  watch.end(out);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  return out;
}

}  // namespace conductorai::bench
