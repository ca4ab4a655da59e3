#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "bench/bare_llm.hpp"
#include "bench/loopback.hpp"

namespace conductorai::bench {
namespace {

constexpr int kPatienceMs = 10'000;

std::string request_to(int port) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
         "\r\nauthorization: Bearer key\r\ncontent-type: application/json\r\ncontent-length: " +
         std::to_string(bare_request_body().size()) + "\r\n\r\n" + bare_request_body();
}

/// Bytes of the answer that came; the whole answer comes at once.
bool answered(int fd) {
  std::array<char, 4096> bytes;
  return ::recv(fd, bytes.data(), bytes.size(), 0) == std::ssize(whole_answer());
}

}  // namespace

const std::string& bare_request_body() {
  static const std::string body = R"({"max_tokens":16384,"messages":[{"content":")" + std::string(200, 'q') +
                                  R"(","role":"user"}],"model":"m","stream":true,"stream_options":{"include_usage":true},"temperature":0})";
  return body;
}

Measurement bare_http1_client(const LlmService& service, int requests) {
  Measurement out{.work = "llm", .variant = "bare http1, epoll", .n = requests, .in_flight = requests, .errors = requests};
  const std::string request = request_to(service.port());
  const int queue = ::epoll_create1(EPOLL_CLOEXEC);
  int open = 0;
  const Stopwatch watch;
  for (int i = 0; i < requests; ++i) {
    const int fd = connect_to_loopback(service.port());
    if (fd < 0) continue;
    epoll_event event{.events = EPOLLOUT, .data = {.fd = fd}};
    ::epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
    ++open;
  }
  std::array<epoll_event, 256> events{};
  while (open > 0) {
    const int ready = ::epoll_wait(queue, events.data(), static_cast<int>(events.size()), kPatienceMs);
    if (ready <= 0) break;
    for (int i = 0; i < ready; ++i) {
      epoll_event event = events[static_cast<std::size_t>(i)];
      const int fd = event.data.fd;
      if (event.events == EPOLLOUT && ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == std::ssize(request)) {
        event.events = EPOLLIN;
        ::epoll_ctl(queue, EPOLL_CTL_MOD, fd, &event);
        continue;
      }
      if (answered(fd)) --out.errors;
      ::close(fd);
      --open;
    }
  }
  watch.end(out);
  ::close(queue);
  return out;
}

}  // namespace conductorai::bench
