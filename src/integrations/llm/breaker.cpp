#include "integrations/llm/breaker.hpp"

#include "base/human.hpp"
#include "integrations/llm/handing_on.hpp"

namespace conductorai::integrations {

ModelBreaker::Outcome health_of(const Result<LLMResponse>& answer) {
  using Outcome = ModelBreaker::Outcome;
  if (answer) return Outcome::good;
  switch (answer.error().code) {
    case ErrorCode::unavailable:
    case ErrorCode::timeout: return Outcome::bad;
    case ErrorCode::invalid_answer: return answer.error().retry == Retry::never ? Outcome::unrelated : Outcome::bad;
    default: return Outcome::unrelated;
  }
}

Result<ModelBreaker::Admission> ModelBreaker::admit() {
  if (failures_ < options_.failures_to_open) return Admission::normal;
  const auto left = std::chrono::ceil<Milliseconds>(open_until_ - clock_.steady_now());
  if (left.count() <= 0 && !probing_) {
    probing_ = true;
    return Admission::probe;
  }
  Error error{.code = ErrorCode::unavailable,
              .message = model_ + " failed " + std::to_string(failures_) + " times in a row and is left alone",
              .hint = "conductorai llm check asks it once; llm.fallback names another model for such times",
              .retry = Retry::backoff};
  if (left.count() > 0) {
    error.message += " for " + duration_text(left.count());
    error.retry = Retry::after;
    error.retry_after = left;
  }
  return fail(std::move(error));
}

void ModelBreaker::ended(Admission admission, Outcome outcome) {
  if (admission == Admission::probe) probing_ = false;
  if (outcome == Outcome::good) failures_ = 0;
  if (outcome != Outcome::bad) return;
  // Calls that were under way when it opened change nothing any more.
  if (failures_ >= options_.failures_to_open && admission == Admission::normal) return;
  if (++failures_ >= options_.failures_to_open) open_until_ = clock_.steady_now() + options_.open_for;
}

task<Result<LLMResponse>> BreakerProvider::chat(LLMRequest request) {
  auto admitted = breaker_.admit();
  if (!admitted) return failed_call(std::move(admitted.error()));
  return watched(*admitted, inner_.chat(std::move(request)));
}

task<Result<LLMResponse>> BreakerProvider::watched(ModelBreaker::Admission admission, task<Result<LLMResponse>> call) {
  auto answer = co_await std::move(call).boxed();
  breaker_.ended(admission, health_of(*answer));
  co_return answer;
}

}  // namespace conductorai::integrations
