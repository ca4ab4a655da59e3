#pragma once
// RetryingProvider: transient errors are tried again inside the call, so that the attempt stays.

#include <memory>

#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

struct RetryOptions {
  int retries = 2;  // further tries after the first
  Milliseconds backoff{500};
  Milliseconds max_backoff{30'000};
  Milliseconds max_retry_after{120'000};  // a longer wait asked for is not waited for: the error is handed on with its hint
};

/// Whether trying the same request again can help: the error carries a retry hint.
[[nodiscard]] bool is_transient(const Error& error);

/// Full jitter over an exponential; what the other side asks to wait (Retry-After) is the least.
class RetryingProvider final : public BaseLLMProvider {
 public:
  RetryingProvider(BaseLLMProvider& inner, Clock& clock, Entropy& entropy, RetryOptions options)
      : inner_(inner), clock_(clock), entropy_(entropy), options_(options) {}
  [[nodiscard]] std::string_view name() const override { return inner_.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  task<Result<LLMResponse>> repeated(std::unique_ptr<const LLMRequest> request);
  [[nodiscard]] bool is_last(const Result<LLMResponse>& answer, int tries_made) const;
  [[nodiscard]] Milliseconds pause(const Error& error, int tries_made);

  BaseLLMProvider& inner_;
  Clock& clock_;
  Entropy& entropy_;
  RetryOptions options_;
};

}  // namespace conductorai::integrations
