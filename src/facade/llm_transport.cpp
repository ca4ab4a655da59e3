#include "facade/llm_transport.hpp"

#include "base/human.hpp"

namespace conductorai::facade {

namespace {

using integrations::WireHead;
using integrations::WireRequest;

/// Cancels an exchange that nothing comes from any more.
class Patience {
 public:
  Patience(Clock& clock, CancelSource& cancel) : clock_(clock), cancel_(cancel) {}
  void wait(Milliseconds longest, std::string what) {
    timer_ = clock_.call_after(longest, [this, longest, what = std::move(what)] {
      ended_ = what + " for " + duration_text(longest.count());
      cancel_.cancel();
    });
  }
  void stop() { timer_.reset(); }
  [[nodiscard]] const std::string& ended() const { return ended_; }

 private:
  Clock& clock_;
  CancelSource& cancel_;
  std::unique_ptr<Timer> timer_;
  std::string ended_;
};

infrastructure::HttpRequest http_request(WireRequest request, std::shared_ptr<bool> sent) {
  infrastructure::HttpRequest http;
  http.method = std::move(request.method);
  http.url = std::move(request.url);
  http.headers = std::move(request.headers);
  http.body = std::move(request.body);
  http.timeout = request.timeout;
  http.connect_timeout = request.connect_timeout;
  http.proxy = std::move(request.proxy);
  http.ca_file = std::move(request.ca_file);
  http.sent = std::move(sent);
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

task<Result<WireHead>> LlmTransport::exchange(WireRequest request, Sink sink) {
  TaskEnvironment environment = co_await current_environment();
  CancelSource cancel(environment.cancel);
  Patience patience(loop_, cancel);
  auto sent = std::make_shared<bool>(false);
  const Milliseconds idle = request.idle_timeout;
  WireHead head;
  bool begun = false;
  const infrastructure::BodySink watched = [&](const infrastructure::HttpResponse& so_far, std::string_view piece) {
    if (!std::exchange(begun, true)) head = {.status = so_far.status, .headers = so_far.headers};
    patience.wait(idle, "no further piece of the answer came");
    return sink(head, piece);
  };
  patience.wait(request.connect_timeout + request.first_byte_timeout, "no answer began");
  auto work = client_.stream(http_request(std::move(request), sent), watched);
  auto answer = co_await std::move(work).in({environment.executor, &cancel});
  patience.stop();
  // An exchange is only taken back once it is under way, so its outcome is unknown.
  if (!answer && answer.error().code == ErrorCode::cancelled && !patience.ended().empty())
    co_return fail(Error{.code = ErrorCode::timeout, .message = patience.ended(), .retry = Retry::backoff});
  if (!answer) co_return fail(told_apart(answer.error(), *sent));
  co_return WireHead{.status = answer->status, .headers = std::move(answer->headers)};
}

}  // namespace conductorai::facade
