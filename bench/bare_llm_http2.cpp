#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "bench/bare_llm.hpp"
#include "bench/h2.hpp"
#include "bench/loopback.hpp"

namespace conductorai::bench {
namespace {

constexpr int kPatienceMs = 10'000;

struct Asked {
  bool good = false;  // status 200
  std::size_t sent = 0, got = 0;
};

struct Tally {
  std::int64_t answered = 0, ended = 0;
};

struct Asking {
  Asking(int fd, SSL_CTX& tls, Tally& all, int requests) : tally(all), asked(static_cast<std::size_t>(requests)), wire(fd, tls, false) {}
  Tally& tally;
  std::vector<Asked> asked;
  bool submitted = false;
  H2Connection wire;
};

int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
              const std::uint8_t* value, std::size_t value_size, std::uint8_t, void*) {
  if (name_size == 7 && std::memcmp(name, ":status", 7) == 0)
    if (auto* asked = static_cast<Asked*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id)))
      asked->good = value_size == 3 && std::memcmp(value, "200", 3) == 0;
  return 0;
}

int on_data(nghttp2_session* session, std::uint8_t, std::int32_t stream, const std::uint8_t*, std::size_t size, void*) {
  if (auto* asked = static_cast<Asked*>(nghttp2_session_get_stream_user_data(session, stream))) asked->got += size;
  return 0;
}

int on_close(nghttp2_session* session, std::int32_t stream, std::uint32_t error, void* user) {
  Tally& tally = static_cast<Asking*>(user)->tally;
  const auto* asked = static_cast<Asked*>(nghttp2_session_get_stream_user_data(session, stream));
  if (asked != nullptr && error == 0 && asked->good && asked->got == whole_answer_body().size()) ++tally.answered;
  ++tally.ended;
  return 0;
}

ssize_t give_body(nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t, std::uint32_t* flags, nghttp2_data_source*, void*) {
  const std::string& body = bare_request_body();  // shorter than any frame
  std::memcpy(buffer, body.data(), body.size());
  *flags = NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(body.size());
}

H2Session client_session(Asking& asking) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  const H2Callbacks owned(callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new(&session, callbacks, &asking);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  return H2Session(session);
}

void submit_all(Asking& asking, const std::string& authority) {
  const std::string length = std::to_string(bare_request_body().size());
  const std::array headers{header(":method", "POST"),
                           header(":scheme", "https"),
                           header(":authority", authority),
                           header(":path", "/v1/chat/completions"),
                           header("authorization", "Bearer key"),
                           header("content-type", "application/json"),
                           header("content-length", length)};
  const nghttp2_data_provider body{.source = {}, .read_callback = give_body};
  for (Asked& asked : asking.asked) nghttp2_submit_request(asking.wire.session(), nullptr, headers.data(), headers.size(), &body, &asked);
}

/// False once the connection has ended.
bool go_on(Asking& asking, const std::string& authority) {
  if (!asking.wire.go_on()) return false;
  if (!asking.wire.shaken() || asking.submitted) return true;
  asking.submitted = true;
  submit_all(asking, authority);
  return asking.wire.flush();
}

}  // namespace

Measurement bare_http2_client(const LlmService& service, int requests) {
  Measurement out{.work = "llm", .variant = "bare http2, nghttp2", .n = requests, .in_flight = requests, .errors = requests};
  const std::string authority = "127.0.0.1:" + std::to_string(service.port());
  const int queue = ::epoll_create1(EPOLL_CLOEXEC);
  Tally tally;
  std::vector<std::unique_ptr<Asking>> all;
  const Stopwatch watch;
  const TlsContext tls = make_client_tls(service.certificate());
  for (int left = requests; tls && left > 0; left -= kStreamsPerConnection) {
    const int fd = connect_to_loopback(service.port());
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto& asking = all.emplace_back(std::make_unique<Asking>(fd, *tls, tally, std::min(left, kStreamsPerConnection)));
    asking->wire.attach(client_session(*asking));
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = asking.get()}};
    ::epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
  }
  std::array<epoll_event, 64> events{};
  while (tally.ended < requests) {
    const int ready = ::epoll_wait(queue, events.data(), static_cast<int>(events.size()), kPatienceMs);
    if (ready <= 0) break;
    bool lost = false;
    for (int i = 0; i < ready; ++i) lost |= !go_on(*static_cast<Asking*>(events[static_cast<std::size_t>(i)].data.ptr), authority);
    if (lost) break;
  }
  watch.end(out);
  out.errors -= tally.answered;
  ::close(queue);
  return out;
}

}  // namespace conductorai::bench
