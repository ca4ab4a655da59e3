#pragma once
// LlmServices: real providers as the configuration describes them, and what their models cost.

#include "conductorai/conductorai.hpp"
#include "facade/llm_transport.hpp"
#include "integrations/llm/prices.hpp"
#include "integrations/llm/wire/service.hpp"

namespace conductorai::facade {

/// openai, anthropic.
bool is_real_provider(std::string_view provider);

/// Why a budget in usd cannot be kept.
Error no_price(const std::string& provider, const std::string& model);

class LlmServices {
 public:
  LlmServices(runtime::Loop& loop, LlmOptions options) : clock_(loop), transport_(loop), options_(std::move(options)) {}

  /// Errors: unsupported (no such provider), those of reading its key.
  Result<std::unique_ptr<integrations::WireProvider>> open(const std::string& provider, const std::string& model);
  /// Nothing when the model's price is not known. Errors: those of reading the user's table.
  Result<std::optional<integrations::Price>> price_of(const std::string& provider, const std::string& model) const;
  /// What can be said of a workflow's model without calling it.
  Result<void> check(const WorkflowDefinition& definition) const;
  [[nodiscard]] Milliseconds timeout() const { return options_.timeout; }

 private:
  Clock& clock_;
  LlmTransport transport_;
  LlmOptions options_;
};

}  // namespace conductorai::facade
