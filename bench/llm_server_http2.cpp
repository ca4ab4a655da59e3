#include <sys/epoll.h>

#include <cstring>
#include <map>
#include <set>

#include "bench/h2.hpp"
#include "bench/llm_server.hpp"
#include "bench/llm_service.hpp"

namespace conductorai::bench {
namespace {

struct Served {
  Served(int socket, unsigned number, SSL_CTX& tls, ServerLoop& owing) : fd(socket), serial(number), loop(owing), wire(socket, tls, true) {}
  int fd;
  unsigned serial;
  ServerLoop& loop;
  H2Connection wire;
};

int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& served = *static_cast<Served*>(user);
  const bool of_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (of_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) served.loop.owe(served.fd, served.serial, frame->hd.stream_id);
  return 0;
}

ssize_t give_body(nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t, std::uint32_t* flags, nghttp2_data_source*, void*) {
  const std::string& body = whole_answer_body();  // shorter than any frame
  std::memcpy(buffer, body.data(), body.size());
  *flags = NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(body.size());
}

void answer(Served& served, std::int32_t stream) {
  const std::array headers{header(":status", "200"), header("content-type", "application/json")};
  const nghttp2_data_provider body{.source = {}, .read_callback = give_body};
  nghttp2_submit_response(served.wire.session(), stream, headers.data(), headers.size(), &body);
}

H2Session server_session(Served& served) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  const H2Callbacks owned(callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new(&session, callbacks, &served);
  const nghttp2_settings_entry streams{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsPerConnection};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &streams, 1);
  return H2Session(session);
}

}  // namespace

int serve_http2(const std::filesystem::path& folder) {
  const TlsContext tls = make_server_tls(folder / kCertificateFile);
  if (!tls) return 4;
  ServerLoop loop{std::chrono::milliseconds(kAnswerAfterMs)};
  std::map<int, std::unique_ptr<Served>> connections;
  std::set<int> to_flush;
  unsigned serials = 0;
  const auto watch = [&](Served& served, bool goes_on) {
    if (!goes_on) return void(connections.erase(served.fd));
    loop.watch(served.fd, EPOLLIN | (served.wire.wants_write() ? EPOLLOUT : 0U), true);
  };
  const auto accepted = [&](int fd) {
    auto& served = connections[fd] = std::make_unique<Served>(fd, ++serials, *tls, loop);
    served->wire.attach(server_session(*served));
  };
  const auto ready = [&](int fd, unsigned) {
    if (const auto found = connections.find(fd); found != connections.end()) watch(*found->second, found->second->wire.go_on());
  };
  const auto due = [&](const Due& owed) {
    const auto found = connections.find(owed.fd);
    if (found == connections.end() || found->second->serial != owed.serial) return;
    answer(*found->second, owed.item);
    to_flush.insert(owed.fd);
  };
  const auto turn_ended = [&] {
    for (const int fd : to_flush)
      if (const auto found = connections.find(fd); found != connections.end()) watch(*found->second, found->second->wire.flush());
    to_flush.clear();
  };
  if (!loop.listen()) return 4;
  loop.run({.accepted = accepted, .ready = ready, .due = due, .turn_ended = turn_ended});
}

}  // namespace conductorai::bench
