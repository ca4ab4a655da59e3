#include "integrations/llm/retries.hpp"

#include <algorithm>

namespace conductorai::integrations {

bool is_transient(const Error& error) {
  return error.retry != Retry::never && error.code != ErrorCode::cancelled;
}

Milliseconds RetryingProvider::pause(const Error& error, int tries_made) {
  const auto ceiling = std::min(options_.backoff * (std::int64_t{1} << std::min(tries_made - 1, 20)), options_.max_backoff);
  const auto jitter = Milliseconds(static_cast<std::int64_t>(entropy_.next() % static_cast<std::uint64_t>(ceiling.count() + 1)));
  return error.retry == Retry::after ? std::max(error.retry_after, jitter) : jitter;
}

task<Result<LLMResponse>> RetryingProvider::chat(LLMRequest request) {
  for (int tries = 1;; ++tries) {
    auto call = inner_.chat(request);
    auto answer = co_await std::move(call);
    if (answer || !is_transient(answer.error()) || tries > options_.retries) co_return answer;
    if (answer.error().retry == Retry::after && answer.error().retry_after > options_.max_retry_after) co_return answer;
    const Milliseconds wait = pause(answer.error(), tries);
    auto slept = co_await sleep_for(clock_, wait);
    if (!slept) co_return fail(slept.error());
  }
}

}  // namespace conductorai::integrations
