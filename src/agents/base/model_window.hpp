#pragma once
// What fits into a model, by `llm.context-tokens`: no agent asks anything larger.

#include "conductorai/definition.hpp"

namespace conductorai::agents {

/// What the model takes in, its answer counted.
std::int64_t context_tokens(const LlmDefinition& llm);
/// Of one answer. A window that is small leaves most of itself to the conversation.
std::int64_t output_tokens(const LlmDefinition& llm);
/// Of all texts of one request together: messages, tools and schema.
std::size_t request_bytes_max(const LlmDefinition& llm);

}  // namespace conductorai::agents
