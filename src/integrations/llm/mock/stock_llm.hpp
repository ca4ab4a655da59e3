#pragma once
// StockLLM (`--llm mock` without a file): valid answers for every agent, so that any workflow can be dry-run.

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

/// A function of the request alone: caller, round and the requirement in the prompt. Never fails.
class StockLLM final : public BaseLLMProvider {
 public:
  [[nodiscard]] std::string_view name() const override { return "mock"; }
  task<Result<LLMResponse>> chat(LLMRequest request) override;
};

}  // namespace conductorai::integrations
