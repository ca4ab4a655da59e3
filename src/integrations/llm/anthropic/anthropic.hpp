#pragma once
// The Messages protocol of Anthropic. Source: docs.anthropic.com/en/api/messages (version 2023-06-01).

#include <memory>
#include <string>

#include "integrations/llm/wire/answer_reader.hpp"

namespace conductorai::integrations::anthropic {

struct WriteOptions {
  std::string model;
  bool stream = true;
};

/// Body of a request. Errors: invalid_argument (a schema that is no JSON object).
Result<std::string> write_messages(const LLMRequest& request, const WriteOptions& options);

std::unique_ptr<AnswerReader> read_messages();

}  // namespace conductorai::integrations::anthropic
