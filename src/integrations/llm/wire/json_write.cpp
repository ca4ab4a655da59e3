#include "integrations/llm/wire/json_write.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations::wire {

namespace {

bool requires_all(const Value& schema, const Object& members) {
  const Array& required = items(schema, {"required"});
  return std::ranges::all_of(members, [&](const auto& member) {
    return std::ranges::any_of(required,
                               [&](const Value& name) { return name.as_string() != nullptr && *name.as_string() == member.first; });
  });
}

bool is_closed(const Value& schema) {
  const Value* more = schema.find("additionalProperties");
  return more != nullptr && more->as_bool() != nullptr && !*more->as_bool();
}

}  // namespace

Result<Value> schema_of(std::string_view text, std::string_view whose) {
  auto schema = core::parse_json(text);
  if (!schema || schema->as_object() == nullptr)
    return fail(ErrorCode::invalid_argument, "the schema of " + std::string(whose) + " is no JSON object");
  return schema;
}

std::string system_text(const LLMRequest& request) {
  std::string all;
  for (const ChatMessage& message : request.messages)
    if (message.role == Role::system && !message.text.empty()) all += (all.empty() ? "" : "\n\n") + message.text;
  return all;
}

std::string schema_in_words(const LLMRequest& request) {
  return "Answer with one JSON value that follows this schema, and nothing else:\n" + request.answer_schema;
}

bool fits_strict(const Value& schema) {
  if (const Array* list = schema.as_array()) return std::ranges::all_of(*list, fits_strict);
  const Object* object = schema.as_object();
  if (object == nullptr) return true;
  const Value* properties = schema.find("properties");
  const Object* members = properties == nullptr ? nullptr : properties->as_object();
  if (text(schema, {"type"}) == "object" || members != nullptr) {
    if (members == nullptr || !is_closed(schema) || !requires_all(schema, *members)) return false;
    if (!std::ranges::all_of(*members, [](const auto& member) { return fits_strict(member.second); })) return false;
  }
  return std::ranges::all_of(*object, [](const auto& part) { return part.first == "properties" || fits_strict(part.second); });
}

std::string_view role_name(Role role) {
  switch (role) {
    case Role::system: return "system";
    case Role::user: return "user";
    case Role::assistant: return "assistant";
    case Role::tool: return "tool";
  }
  return "user";
}

std::string arguments_text(const ToolCall& call) {
  // What came as a text that is no JSON goes back as it came.
  if (const std::string* text = call.arguments.as_string()) return *text;
  return call.arguments.is_null() ? "{}" : core::to_json(call.arguments);
}

}  // namespace conductorai::integrations::wire
