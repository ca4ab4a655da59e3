#pragma once
// MaskedAnswers: a model that has read a secret may say it. Its answers lose it before they are recorded, kept or seen by an agent, so that
// an answer on record and a fresh one are the same.

#include <memory>

#include "agents/base/secret_mask.hpp"
#include "conductorai/llm_provider.hpp"

namespace conductorai::facade {

class MaskedAnswers final : public BaseLLMProvider {
 public:
  MaskedAnswers(std::shared_ptr<BaseLLMProvider> inner, std::shared_ptr<const agents::SecretBook> secrets)
      : inner_(std::move(inner)), secrets_(std::move(secrets)) {}
  [[nodiscard]] std::string_view name() const override { return inner_->name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  task<Result<LLMResponse>> masked(task<Result<LLMResponse>> call);

  std::shared_ptr<BaseLLMProvider> inner_;
  std::shared_ptr<const agents::SecretBook> secrets_;
};

}  // namespace conductorai::facade
