#pragma once
// A breaker for each model of a service: after failures in a row it is left alone for a while, then one call tries it.

#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

struct BreakerOptions {
  int failures_to_open = 5;  // in a row
  Milliseconds open_for{30'000};
};

/// Shared by all calls of a process to one model. Closed → open after `failures_to_open` → one probe once `open_for` has passed → closed
/// by its success, open again by its failure.
class ModelBreaker {
 public:
  enum class Admission { normal, probe };
  enum class Outcome { good, bad, unrelated };

  ModelBreaker(Clock& clock, std::string model, BreakerOptions options) : clock_(clock), model_(std::move(model)), options_(options) {}
  /// Errors: unavailable, with the time until it is tried again. Each admission is followed by one `ended`.
  Result<Admission> admit();
  void ended(Admission admission, Outcome outcome);

 private:
  Clock& clock_;
  std::string model_;
  BreakerOptions options_;
  int failures_ = 0;
  bool probing_ = false;
  Instant open_until_{};
};

/// What an answer or error says of the model's health: silence and lost or unusable answers are bad; a limit, a wrong request or key, a
/// budget, a cancellation say nothing.
[[nodiscard]] ModelBreaker::Outcome health_of(const Result<LLMResponse>& answer);

class BreakerProvider final : public BaseLLMProvider {
 public:
  BreakerProvider(BaseLLMProvider& inner, ModelBreaker& breaker) : inner_(inner), breaker_(breaker) {}
  [[nodiscard]] std::string_view name() const override { return inner_.name(); }
  /// The call is admitted here, and ends by being awaited.
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  task<Result<LLMResponse>> watched(ModelBreaker::Admission admission, task<Result<LLMResponse>> call);

  BaseLLMProvider& inner_;
  ModelBreaker& breaker_;
};

}  // namespace conductorai::integrations
