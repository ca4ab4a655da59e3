#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "bench/bare_llm.hpp"
#include "infrastructure/http/libcurl.hpp"

namespace conductorai::bench {
namespace {

using infrastructure::curl;

/// curl's sockets in an epoll descriptor, its clock beside them.
struct Reader {
  CURLM* multi = curl().multi_init();
  int queue = ::epoll_create1(EPOLL_CLOEXEC);
  long timeout_ms = -1;
  int running = 0;

  Reader() {
    curl().multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Reader::on_socket);
    curl().multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl().multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Reader::on_timer);
    curl().multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  }
  ~Reader() {
    curl().multi_cleanup(multi);
    ::close(queue);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  static int on_socket(CURL*, curl_socket_t fd, int what, Reader* self, void* known) {
    if (what == CURL_POLL_REMOVE) return ::epoll_ctl(self->queue, EPOLL_CTL_DEL, fd, nullptr), 0;
    epoll_event event{.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U),
                      .data = {.fd = fd}};
    ::epoll_ctl(self->queue, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (known == nullptr) curl().multi_assign(self->multi, fd, self);
    return 0;
  }
  static int on_timer(CURLM*, long timeout_ms, Reader* self) {
    self->timeout_ms = timeout_ms;
    return 0;
  }

  void turn() {
    std::array<epoll_event, 64> events{};
    const int ready = ::epoll_wait(queue, events.data(), static_cast<int>(events.size()), static_cast<int>(timeout_ms));
    if (ready == 0) {
      timeout_ms = -1;
      curl().multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int what = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) | ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0);
      curl().multi_socket_action(multi, event.data.fd, what, &running);
    }
  }
};

std::size_t count(const char*, std::size_t size, std::size_t n, std::size_t* bytes) {
  *bytes += size * n;
  return size * n;
}

CURL* stream_from(const std::string& url, curl_slist* headers, std::size_t& bytes) {
  CURL* easy = curl().easy_init();
  curl().easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl().easy_setopt(easy, CURLOPT_POSTFIELDS, bare_request_body().c_str());
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, &bytes);
  return easy;
}

}  // namespace

Measurement bare_sse_reader(const LlmService& service, int streams) {
  Measurement out{.work = "llm", .variant = "bare sse, curl", .n = std::int64_t{streams} * kChunks, .in_flight = streams};
  if (!infrastructure::load_libcurl()) {
    out.errors = 1;
    return out;
  }
  const std::string url = service.url() + "/chat/completions";
  curl_slist* headers = curl().slist_append(nullptr, "content-type: application/json");
  std::vector<std::size_t> bytes(static_cast<std::size_t>(streams));
  std::vector<CURL*> handles;
  const Stopwatch watch;
  {
    Reader reader;
    for (std::size_t& counted : bytes) {
      handles.push_back(stream_from(url, headers, counted));
      curl().multi_add_handle(reader.multi, handles.back());
    }
    for (reader.running = streams; reader.running > 0;) reader.turn();
    int left = 0;
    while (const CURLMsg* message = curl().multi_info_read(reader.multi, &left)) out.errors += message->data.result != CURLE_OK;
    for (CURL* handle : handles) {
      curl().multi_remove_handle(reader.multi, handle);
      curl().easy_cleanup(handle);
    }
  }
  watch.end(out);
  const std::size_t expected = std::ranges::max(bytes);
  out.errors += std::ranges::count_if(bytes, [&](std::size_t n) { return n < 1000 || n != expected; });
  curl().slist_free_all(headers);
  return out;
}

}  // namespace conductorai::bench
