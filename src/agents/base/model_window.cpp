#include "agents/base/model_window.hpp"

#include <algorithm>

namespace conductorai::agents {

namespace {

constexpr std::int64_t kOutputTokens = 16'384;
constexpr std::int64_t kBytesPerToken = 3;  // of code and prose there are rather more

}  // namespace

std::int64_t context_tokens(const LlmDefinition& llm) {
  return llm.context_tokens.value_or(LlmDefinition::kContextTokens);
}

std::int64_t output_tokens(const LlmDefinition& llm) {
  return std::min(kOutputTokens, context_tokens(llm) / 4);
}

std::size_t request_bytes_max(const LlmDefinition& llm) {
  return static_cast<std::size_t>((context_tokens(llm) - output_tokens(llm)) * kBytesPerToken);
}

}  // namespace conductorai::agents
