#pragma once
// What writers of requests share.

#include <string>
#include <string_view>

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations::wire {

/// A JSON Schema given as text. Errors: invalid_argument (no JSON object).
Result<Value> schema_of(std::string_view text, std::string_view whose);

/// The system messages of a request, joined; the protocols that take them apart want one text.
std::string system_text(const LLMRequest& request);

/// For a model that cannot be held to a schema: what to say to it instead.
std::string schema_in_words(const LLMRequest& request);

/// Whether a schema is of the subset that services can hold a model to: every object closed, and all its members required.
bool fits_strict(const Value& schema);

std::string_view role_name(Role role);

/// A tool call's arguments as JSON text.
std::string arguments_text(const ToolCall& call);

}  // namespace conductorai::integrations::wire
