#include "infrastructure/http/http_client.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.hpp"
#include "infrastructure/http/transfer.hpp"
#include "runtime/moving_timer.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kEventsATurn = 256;

}  // namespace

// All sockets of curl are in one epoll descriptor, and that one is in the loop: curl's own bookkeeping costs the loop one descriptor.
struct HttpClient::Impl {
  Impl(runtime::Loop& the_loop, HttpLimits given) : loop(the_loop), limits(given) {
    multi = curl().multi_init();
    CONDUCTORAI_ASSERT(multi != nullptr && tls_sessions != nullptr, "no memory for libcurl");
    curl().share_setopt(tls_sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl().multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl().multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl().multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl().multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl().multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(limits.connections_per_host));
    curl().multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(limits.connections_kept));
  }
  ~Impl() {
    CONDUCTORAI_ASSERT(in_flight == 0, "an HttpClient must outlive its calls");
    curl().multi_cleanup(multi);
    curl().share_cleanup(tls_sessions);
    if (epoll >= 0) ::close(epoll);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Errors: resource_exhausted (no descriptor left).
  Result<void> open() {
    if (watched) return {};
    if (epoll < 0) epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return fail(ErrorCode::resource_exhausted, std::string("no HTTP client: ") + std::strerror(errno));
    auto made = loop.on_readable(epoll, [this] { turn(); });
    if (!made) return fail(made.error());
    watched = std::move(*made);
    return {};
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, Impl* self, void* known) {
    self->watch(socket, what, known != nullptr);
    return 0;
  }
  static int on_timer(CURLM*, long timeout_ms, Impl* self) {
    self->wake_up.clear();
    if (timeout_ms >= 0) self->wake_up.set(self->loop.steady_now() + Milliseconds(timeout_ms));
    return 0;
  }

  /// `known`: curl told of it before, as far as it remembers.
  void watch(curl_socket_t socket, int what, bool known) {
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);  // a socket that is closed already is gone from it
      return;
    }
    epoll_event event{};
    event.data.fd = socket;
    if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
    if (!known) curl().multi_assign(multi, socket, this);
    // The kernel knows best whether it has this descriptor: numbers are used again faster than anyone's notes about them.
    const int likely = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (::epoll_ctl(epoll, likely, socket, &event) == 0) return;
    if (errno == ENOENT) ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
    if (errno == EEXIST) ::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event);
  }

  void time_came() const {
    act(CURL_SOCKET_TIMEOUT, 0);
    collect();
  }

  void act(curl_socket_t socket, int events) const {
    int running = 0;
    curl().multi_socket_action(multi, socket, events, &running);
  }

  void collect() const {
    int left = 0;
    while (const CURLMsg* message = curl().multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Transfer* transfer = nullptr;
      curl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      transfer->finish(code);
    }
  }

  void turn() const {
    std::array<epoll_event, kEventsATurn> events{};
    const int count = ::epoll_wait(epoll, events.data(), events.size(), 0);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      int what = 0;
      if ((event.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
      if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
      if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) what |= CURL_CSELECT_ERR;
      act(event.data.fd, what);
    }
    collect();
  }

  // curl looks for a connection to take up again among all that it has, busy ones too: with thousands of them that is most of what a
  // request costs. Where none can be idle it need not look.
  bool may_take_up_a_connection() {
    if (in_flight >= limits.connections_per_host) return true;  // it waits for one
    return std::exchange(idle_at_most, std::max(0, idle_at_most - 1)) > 0;
  }
  void exchange_ended() {
    --in_flight;
    idle_at_most = std::min(idle_at_most + 1, limits.connections_kept);
  }

  runtime::Loop& loop;
  HttpLimits limits;
  int idle_at_most = 0;  // connections
  CURLM* multi = nullptr;
  // Else each handle has a store of its own: 1.2 KB for nothing, and no connection takes up the session of another.
  CURLSH* tls_sessions = curl().share_init();
  int epoll = -1;
  int in_flight = 0;
  runtime::MovingTimer wake_up{loop, [this] { time_came(); }};  // curl names another time with each request
  std::unique_ptr<runtime::Watch> watched;
};

HttpClient::HttpClient(runtime::Loop& loop, HttpLimits limits) : loop_(loop), limits_(limits) {}
HttpClient::~HttpClient() = default;

task<Result<HttpResponse>> HttpClient::send(HttpRequest request) {
  return stream(std::move(request), nullptr);
}

task<Result<HttpResponse>> HttpClient::stream(HttpRequest request, BodySink sink) {
  return exchange(*this, std::make_unique<Transfer>(std::move(request), std::move(sink)));
}

task<Result<HttpResponse>> HttpClient::exchange(HttpClient& self, std::unique_ptr<Transfer> transfer) {
  if (self.under_way(*transfer)) co_await transfer->done.over();
  co_return self.ended(*transfer);
}

// A frame keeps room for all that its own statements make, and for what is inlined into it.
[[gnu::noinline]] bool HttpClient::under_way(Transfer& transfer) {
  auto started = start(transfer);
  if (!started) transfer.refuse(std::move(started.error()));
  return started.has_value();
}

Result<void> HttpClient::start(Transfer& transfer) {
  if (impl_ == nullptr) {
    if (auto loaded = load_libcurl(); !loaded) return loaded;
    impl_ = std::make_unique<Impl>(loop_, limits_);
  }
  if (auto opened = impl_->open(); !opened) return opened;
  if (auto prepared = transfer.prepare(impl_->tls_sessions, impl_->may_take_up_a_connection()); !prepared) return prepared;
  if (const CURLMcode added = curl().multi_add_handle(impl_->multi, transfer.handle()); added != CURLM_OK)
    return fail(ErrorCode::resource_exhausted, std::string("cannot start an HTTP request: ") + curl().multi_strerror(added));
  ++impl_->in_flight;
  return {};
}

[[gnu::noinline]] Result<HttpResponse> HttpClient::ended(Transfer& transfer) {
  if (Error* refused = transfer.refused()) return fail(std::move(*refused));
  curl().multi_remove_handle(impl_->multi, transfer.handle());
  impl_->exchange_ended();
  if (auto waited = transfer.done.await_resume(); !waited) return fail(std::move(waited.error()));
  return transfer.answer();
}

}  // namespace conductorai::infrastructure
