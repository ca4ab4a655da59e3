#pragma once
// StructuredProvider: an answer asked for with a schema follows it, or the call fails.

#include <memory>
#include <optional>
#include <string>

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

/// The one JSON value in a model's text: the text itself or the content of its only fenced block. Errors: invalid_answer.
Result<Value> json_of_answer(std::string_view text);

/// Checks JSON text against a JSON Schema (draft 7). The violation in words, empty when it follows. Errors: invalid_argument (the schema).
Result<std::string> schema_violation(std::string_view schema, std::string_view json);

/// By how much one follow-up makes a request longer, at most.
[[nodiscard]] std::size_t follow_up_bytes_max(std::size_t schema_bytes);

/// Each follow-up quotes the violation and is a step of its own ("3.1", "3.2"). On success `text` is compact JSON that follows the schema.
/// A turn that calls tools is no answer yet and comes as it is. Errors: those of `inner`; invalid_answer when the last follow-up is wrong
/// too, and where a follow-up would not help: the model refused, the answer was cut off at the output limit or withheld by a filter.
class StructuredProvider final : public BaseLLMProvider {
 public:
  explicit StructuredProvider(BaseLLMProvider& inner, int follow_ups = 2) : inner_(inner), follow_ups_(follow_ups) {}
  [[nodiscard]] std::string_view name() const override { return inner_.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  task<Result<LLMResponse>> checked(std::unique_ptr<LLMRequest> request);

  BaseLLMProvider& inner_;
  int follow_ups_;
};

}  // namespace conductorai::integrations
