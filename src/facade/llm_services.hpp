#pragma once
// LlmServices: real providers as the configuration describes them, and what their models cost. Breakers and rate limits live here, one for
// all workflows of the process.

#include <map>
#include <memory>

#include "conductorai/conductorai.hpp"
#include "facade/llm_transport.hpp"
#include "integrations/llm/answer_cache.hpp"
#include "integrations/llm/batch/batch_desk.hpp"
#include "integrations/llm/breaker.hpp"
#include "integrations/llm/prices.hpp"
#include "integrations/llm/rate_limit.hpp"
#include "integrations/llm/wire/provider.hpp"

namespace conductorai::facade {

/// openai, anthropic.
bool is_real_provider(std::string_view provider);

/// Why a budget in usd cannot be kept.
Error no_price(const std::string& provider, const std::string& model);

class LlmServices {
 public:
  /// `learned` is told each key that is read.
  LlmServices(runtime::Loop& loop, Entropy& entropy, LlmOptions options, std::function<void(const std::string&)> learned)
      : loop_(loop),
        clock_(loop),
        entropy_(entropy),
        transport_(loop, options.connections),
        options_(std::move(options)),
        learned_(std::move(learned)) {}

  /// Errors: unsupported (no such provider), those of reading its key.
  Result<std::unique_ptr<integrations::WireProvider>> open(const std::string& provider, const std::string& model);
  /// The same, or by the provider's batch API.
  Result<std::unique_ptr<BaseLLMProvider>> open_model(const std::string& provider, const std::string& model, bool batched);
  /// The process ends: calls in batches are left waiting, not cancelled.
  void leave_batches();
  /// REQUIRES: no attempt runs any more.
  task<void> close();
  /// Of a real provider; empty: none is sent. Errors: those of reading it.
  Result<std::string> key(const std::string& provider) const;
  /// Nothing when the model's price is not known; `batched`, of its calls in batches. Errors: those of reading the user's table.
  Result<std::optional<integrations::Price>> price_of(const std::string& provider, const std::string& model, bool batched = false) const;
  /// What can be said of a workflow's model without calling it.
  Result<void> check(const WorkflowDefinition& definition) const;
  [[nodiscard]] Milliseconds timeout() const { return options_.timeout; }
  /// Without its folder. A ttl of nothing: no answer is given twice.
  [[nodiscard]] integrations::CacheOptions cache() const {
    return {.folder = {}, .ttl = options_.cache_ttl, .bytes_max = options_.cache_bytes};
  }
  /// Whatever makes one service another, for the same request.
  [[nodiscard]] std::string describe(const LlmTarget& target) const;
  integrations::ModelBreaker& breaker(const std::string& provider, const std::string& model);
  integrations::RateLimiter& limiter(const std::string& provider);

 private:
  [[nodiscard]] const std::string& base_url(const std::string& provider) const;
  Result<integrations::ServiceCalls> calls_to(const std::string& provider, const std::string& model);
  Result<void> check_target(const LlmTarget& target, bool money) const;

  runtime::Loop& loop_;
  Clock& clock_;
  Entropy& entropy_;
  LlmTransport transport_;
  LlmOptions options_;
  std::function<void(const std::string&)> learned_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<integrations::ModelBreaker>> breakers_;
  std::map<std::string, std::unique_ptr<integrations::RateLimiter>> limiters_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<integrations::BatchDesk>> desks_;  // of a model
};

}  // namespace conductorai::facade
