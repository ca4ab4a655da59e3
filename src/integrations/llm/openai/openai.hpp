#pragma once
// The two protocols of OpenAI, which many other services speak: Chat Completions and Responses.
// Source: platform.openai.com/docs/api-reference (openai-openapi 2.3.0).

#include <memory>
#include <string>

#include "integrations/llm/wire/answer_reader.hpp"

namespace conductorai::integrations::openai {

struct WriteOptions {
  std::string model;
  bool stream = true;
  bool own_service = true;  // false: a service that speaks the protocol as it was, with `max_tokens`
};

/// Bodies of requests. Errors: invalid_argument (a schema that is no JSON object).
Result<std::string> write_chat(const LLMRequest& request, const WriteOptions& options);
Result<std::string> write_responses(const LLMRequest& request, const WriteOptions& options);

std::unique_ptr<AnswerReader> read_chat();
std::unique_ptr<AnswerReader> read_responses();

/// Models that think before they answer take no temperature.
bool takes_temperature(std::string_view model);

}  // namespace conductorai::integrations::openai
