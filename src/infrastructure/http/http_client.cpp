#include "infrastructure/http/http_client.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.hpp"
#include "infrastructure/http/transfer.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr long kConnectionsPerHostMax = 100;
constexpr long kConnectionsKeptMax = 200;

void global_init() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  CONDUCTORAI_ASSERT(once == CURLE_OK, "libcurl cannot be initialised");
}

}  // namespace

// All sockets of curl are in one epoll descriptor, and that one is in the loop: curl's own bookkeeping costs the loop one descriptor.
struct HttpClient::Impl {
  /// Drives curl while exchanges are in flight. The last exchange to end stops and joins it, so an idle client has nothing running.
  struct Pump {
    explicit Pump(Executor& executor) : scope(executor) {}
    runtime::TaskScope scope;
  };

  explicit Impl(runtime::Loop& the_loop) : loop(the_loop) {
    global_init();
    multi = curl_multi_init();
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_errno = epoll < 0 ? errno : 0;
    CONDUCTORAI_ASSERT(multi != nullptr, "no memory for libcurl");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, kConnectionsPerHostMax);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kConnectionsKeptMax);
  }
  ~Impl() {
    CONDUCTORAI_ASSERT(in_flight == 0, "an HttpClient must outlive its calls");
    curl_multi_cleanup(multi);
    if (epoll >= 0) ::close(epoll);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static int on_socket(CURL*, curl_socket_t socket, int what, Impl* self, void*) {
    self->watch(socket, what);
    return 0;
  }
  static int on_timer(CURLM*, long timeout_ms, Impl* self) {
    self->timer.reset();
    if (timeout_ms >= 0) self->timer = self->loop.call_after(Milliseconds(timeout_ms), [self] { self->act(CURL_SOCKET_TIMEOUT, 0); });
    return 0;
  }

  void watch(curl_socket_t socket, int what) const {
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);  // a socket that is closed already is gone from it
      return;
    }
    epoll_event event{};
    event.data.fd = socket;
    if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
    // The kernel knows best whether it has this descriptor: numbers are used again faster than anyone's notes about them.
    if (::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0 && errno == ENOENT) ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  }

  void act(curl_socket_t socket, int events) const {
    int running = 0;
    curl_multi_socket_action(multi, socket, events, &running);
    collect();
  }

  void collect() const {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      transfer->finish(code);
    }
  }

  static task<void> turn(Impl& self) {
    std::array<epoll_event, 64> events{};
    while (true) {
      auto ready = co_await self.loop.readable(self.epoll);
      if (!ready && ready.error().code == ErrorCode::cancelled) co_return;
      if (!ready) {  // no descriptor left for the moment: look again by the clock, so that nobody waits for ever
        auto slept = co_await sleep_for(self.loop, Milliseconds(20));
        if (!slept) co_return;
      }
      const int count = ::epoll_wait(self.epoll, events.data(), events.size(), 0);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        int what = 0;
        if ((event.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
        if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
        if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) what |= CURL_CSELECT_ERR;
        self.act(event.data.fd, what);
      }
    }
  }

  void enter() {
    if (in_flight++ > 0) return;
    pump = std::make_shared<Pump>(loop);
    pump->scope.spawn(turn(*this));
  }

  static task<void> leave(Impl& self) {
    if (--self.in_flight > 0) co_return;
    const std::shared_ptr<Pump> last = std::exchange(self.pump, nullptr);  // a new exchange meanwhile makes its own
    last->scope.cancel();
    co_await last->scope.join();
  }

  runtime::Loop& loop;
  CURLM* multi = nullptr;
  int epoll = -1;
  int epoll_errno = 0;
  std::unique_ptr<Timer> timer;
  int in_flight = 0;
  std::shared_ptr<Pump> pump;
};

HttpClient::HttpClient(runtime::Loop& loop) : loop_(loop) {}
HttpClient::~HttpClient() = default;

task<Result<HttpResponse>> HttpClient::send(HttpRequest request) {
  return stream(std::move(request), nullptr);
}

task<Result<HttpResponse>> HttpClient::stream(HttpRequest request, BodySink sink) {
  if (impl_ == nullptr) impl_ = std::make_unique<Impl>(loop_);
  Impl& impl = *impl_;
  if (impl.epoll < 0) co_return fail(ErrorCode::resource_exhausted, std::string("no HTTP client: ") + std::strerror(impl.epoll_errno));
  Transfer transfer(std::move(request), std::move(sink));
  if (auto prepared = transfer.prepare(); !prepared) co_return fail(prepared.error());
  if (const CURLMcode added = curl_multi_add_handle(impl.multi, transfer.handle()); added != CURLM_OK)
    co_return fail(ErrorCode::resource_exhausted, std::string("cannot start an HTTP request: ") + curl_multi_strerror(added));
  impl.enter();
  auto waited = co_await transfer.done;
  curl_multi_remove_handle(impl.multi, transfer.handle());
  co_await Impl::leave(impl);
  if (!waited) co_return fail(waited.error());
  co_return transfer.answer();
}

}  // namespace conductorai::infrastructure
