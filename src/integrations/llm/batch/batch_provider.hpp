#pragma once
// BatchProvider: a provider whose calls go in batches. Its answers come late, and whole.

#include "integrations/llm/batch/batch_desk.hpp"
#include "integrations/llm/wire/service_calls.hpp"

namespace conductorai::integrations {

/// `desk` outlives it. Errors: as BaseLLMProvider; a line of a batch becomes what a direct call with that status would have been.
class BatchProvider final : public BaseLLMProvider {
 public:
  BatchProvider(ServiceCalls calls, BatchDesk& desk) : calls_(std::move(calls)), desk_(desk) {}
  [[nodiscard]] std::string_view name() const override { return calls_.protocol().provider; }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  [[nodiscard]] Result<LLMResponse> read(const LLMRequest& request, const std::string& model, const BatchLine& line) const;

  ServiceCalls calls_;
  BatchDesk& desk_;
};

}  // namespace conductorai::integrations
