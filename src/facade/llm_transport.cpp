#include "facade/llm_transport.hpp"

#include "base/human.hpp"
#include "runtime/moving_timer.hpp"

namespace conductorai::facade {

namespace {

using integrations::WireHead;
using integrations::WireRequest;

/// Cancels an exchange that nothing comes from any more.
class Patience {
 public:
  explicit Patience(Clock& clock) : clock_(clock), timer_(clock, [this] { give_up(); }) {}
  /// `cancelled`: what it cancels, from now on.
  void begin(CancelSource& cancelled) { cancel_ = &cancelled; }
  /// From now; each piece of an answer calls it.
  void wait(Milliseconds longest, std::string_view what) {
    longest_ = longest;
    what_ = what;
    timer_.set(clock_.steady_now() + longest);
  }
  void stop() { timer_.clear(); }
  [[nodiscard]] const std::string& ended() const { return ended_; }

 private:
  void give_up() {
    ended_ = std::string(what_) + " for " + duration_text(longest_.count());
    cancel_->cancel();
  }

  Clock& clock_;
  runtime::MovingTimer timer_;
  CancelSource* cancel_ = nullptr;
  Milliseconds longest_{};
  std::string_view what_;
  std::string ended_;
};

infrastructure::HttpRequest http_request(WireRequest request) {
  infrastructure::HttpRequest http;
  http.method = std::move(request.method);
  http.url = std::move(request.url);
  http.headers = std::move(request.headers);
  http.body = std::move(request.body);
  http.timeout = request.timeout;
  http.connect_timeout = request.connect_timeout;
  http.proxy = std::move(request.proxy);
  http.ca_file = std::move(request.ca_file);
  return http;
}

/// What was sent and not answered whole has an unknown outcome; what never left is a refusal.
Error told_apart(Error error, bool sent) {
  if (sent && error.code == ErrorCode::unavailable) {
    error.code = ErrorCode::invalid_answer;
    error.message = "the connection was lost before the answer was whole: " + error.message;
    error.retry = Retry::backoff;
  } else if (!sent && error.code == ErrorCode::timeout) {
    error.code = ErrorCode::unavailable;
    error.retry = Retry::backoff;
  }
  return error;
}

}  // namespace

/// One exchange under way, apart from the coroutine that waits for it.
struct LlmTransport::Exchange {
  Exchange(Clock& clock, const WireRequest& request, Sink taker)
      : patience(clock), whole(request.timeout), first(request.first_byte_timeout), idle(request.idle_timeout), sink(std::move(taker)) {}

  void sending() {
    sent = true;
    if (!begun) patience.wait(first, "no answer began");
  }

  bool take(const infrastructure::HttpResponse& so_far, std::string_view piece) {
    if (!std::exchange(begun, true)) head = {.status = so_far.status, .headers = so_far.headers};
    patience.wait(idle, "no further piece of the answer came");
    return sink(head, piece);
  }

  /// Where the HTTP client's part runs: it ends when the patience does.
  TaskEnvironment begin(TaskEnvironment environment) {
    cancel.emplace(environment.cancel);
    patience.begin(*cancel);
    patience.wait(whole, "no connection was free");  // one that is made has a shorter time of its own
    return {environment.executor, &*cancel};
  }

  Result<WireHead> judged(Result<infrastructure::HttpResponse>& answer) {
    patience.stop();
    if (answer) return WireHead{.status = answer->status, .headers = std::move(answer->headers)};
    const std::string& gave_up = patience.ended();
    if (answer.error().code == ErrorCode::cancelled && !gave_up.empty())
      answer.error() = {.code = ErrorCode::timeout, .message = gave_up, .retry = Retry::backoff};
    return fail(told_apart(std::move(answer.error()), sent));
  }

  Patience patience;
  Milliseconds whole, first, idle;
  Sink sink;
  WireHead head;
  bool sent = false;
  bool begun = false;
  std::optional<CancelSource> cancel;
};

task<Result<WireHead>> LlmTransport::exchange(WireRequest request, Sink sink) {
  auto exchange = std::make_unique<Exchange>(loop_, request, std::move(sink));
  auto http = http_request(std::move(request));
  http.sending = [at = exchange.get()] { at->sending(); };
  auto work = client_.stream(std::move(http), [at = exchange.get()](const infrastructure::HttpResponse& so_far, std::string_view piece) {
    return at->take(so_far, piece);
  });
  return ended(std::move(exchange), std::move(work));
}

task<Result<WireHead>> LlmTransport::ended(std::unique_ptr<Exchange> exchange, task<Result<infrastructure::HttpResponse>> work) {
  TaskEnvironment environment = co_await current_environment();
  auto answer = co_await std::move(work).in(exchange->begin(environment));
  co_return exchange->judged(answer);
}

}  // namespace conductorai::facade
