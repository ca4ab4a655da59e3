#pragma once
// WireProvider: one call, one exchange.

#include <vector>

#include "integrations/llm/wire/service_calls.hpp"

namespace conductorai::integrations {

/// One provider. Answers are asked for as streams where the service can: then a connection that dies is told from an answer that ended.
/// Errors: as BaseLLMProvider. No text of them holds the key.
class WireProvider final : public BaseLLMProvider {
 public:
  explicit WireProvider(ServiceCalls calls) : calls_(std::move(calls)) {}
  [[nodiscard]] std::string_view name() const override { return calls_.protocol().provider; }
  task<Result<LLMResponse>> chat(LLMRequest request) override;
  /// Sorted names of what the service offers.
  task<Result<std::vector<std::string>>> models();

 private:
  struct Question {
    std::string model;
    RequestSize size;
    AnswerReader::OnText on_text;
    WireRequest wire;
  };
  [[nodiscard]] Result<Question> question(const LLMRequest& request) const;
  struct Incoming;
  task<Result<LLMResponse>> answered(std::unique_ptr<Incoming> incoming, task<Result<WireHead>> exchange);
  Result<LLMResponse> judged(const Result<WireHead>& head, Incoming& incoming) const;

  ServiceCalls calls_;
};

}  // namespace conductorai::integrations
