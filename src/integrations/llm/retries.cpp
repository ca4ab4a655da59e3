#include "integrations/llm/retries.hpp"

#include <algorithm>

#include "integrations/llm/handing_on.hpp"

namespace conductorai::integrations {

bool is_transient(const Error& error) {
  return error.retry != Retry::never && error.code != ErrorCode::cancelled;
}

Milliseconds RetryingProvider::pause(const Error& error, int tries_made) {
  const auto ceiling = std::min(options_.backoff * (std::int64_t{1} << std::min(tries_made - 1, 20)), options_.max_backoff);
  const auto jitter = Milliseconds(static_cast<std::int64_t>(entropy_.next() % static_cast<std::uint64_t>(ceiling.count() + 1)));
  return error.retry == Retry::after ? std::max(error.retry_after, jitter) : jitter;
}

bool RetryingProvider::is_last(const Result<LLMResponse>& answer, int tries_made) const {
  if (answer || !is_transient(answer.error()) || tries_made > options_.retries) return true;
  return answer.error().retry == Retry::after && answer.error().retry_after > options_.max_retry_after;
}

task<Result<LLMResponse>> RetryingProvider::chat(LLMRequest request) {
  if (options_.retries <= 0) return inner_.chat(std::move(request));
  return repeated(std::make_unique<const LLMRequest>(std::move(request)));
}

task<Result<LLMResponse>> RetryingProvider::repeated(std::unique_ptr<const LLMRequest> request) {
  for (int tries = 1;; ++tries) {
    auto call = hand_on(inner_, std::make_unique<LLMRequest>(*request));
    auto answer = co_await std::move(call).boxed();
    if (is_last(*answer, tries)) co_return answer;
    auto wait = sleep_for(clock_, pause(answer->error(), tries));
    if (auto slept = co_await std::move(wait); !slept) co_return failed_answer(slept.error());
  }
}

}  // namespace conductorai::integrations
