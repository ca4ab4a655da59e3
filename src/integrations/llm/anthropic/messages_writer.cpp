#include "core/json.hpp"
#include "integrations/llm/anthropic/anthropic.hpp"
#include "integrations/llm/wire/json_read.hpp"
#include "integrations/llm/wire/json_write.hpp"

namespace conductorai::integrations::anthropic {

namespace {

Array blocks_of(const ChatMessage& message) {
  Array blocks;
  if (message.role == Role::tool) {
    blocks.emplace_back(Object{{"type", "tool_result"}, {"tool_use_id", message.tool_call_id}, {"content", message.text}});
    return blocks;
  }
  for (const Value& block : message.thinking)  // another provider's, before a fallback to this one, stays behind
    if (const auto type = wire::text(block, {"type"}); type == "thinking" || type == "redacted_thinking") blocks.push_back(block);
  // An empty text block is refused by the service.
  if (!message.text.empty()) blocks.emplace_back(Object{{"type", "text"}, {"text", message.text}});
  for (const ToolCall& call : message.tool_calls) {
    Value input = call.arguments.as_object() != nullptr ? call.arguments : Value(Object{});
    blocks.emplace_back(Object{{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", std::move(input)}});
  }
  return blocks;
}

/// Turns alternate: what the same side says in a row is one turn, and the results of parallel calls have to be.
Array turns_of(const LLMRequest& request) {
  Array turns;
  std::string last;
  for (const ChatMessage& message : request.messages) {
    if (message.role == Role::system) continue;
    Array blocks = blocks_of(message);
    if (blocks.empty()) continue;
    const std::string role = message.role == Role::assistant ? "assistant" : "user";
    if (role == last) {
      Array& content = *turns.back().as_object()->find("content")->second.as_array();
      content.insert(content.end(), blocks.begin(), blocks.end());
    } else {
      turns.emplace_back(Object{{"role", role}, {"content", std::move(blocks)}});
      last = role;
    }
  }
  return turns;
}

}  // namespace

Result<std::string> write_messages(const LLMRequest& request, const WriteOptions& options) {
  Object body{{"model", options.model}, {"max_tokens", request.output_tokens_max}, {"messages", turns_of(request)}};
  std::string system = wire::system_text(request);
  if (options.stream) body["stream"] = true;
  Array tools;
  for (const ToolSpec& tool : request.tools) {
    auto schema = wire::schema_of(tool.parameters_schema, "tool " + tool.name);
    if (!schema) return fail(schema.error());
    (*schema->as_object())["type"] = "object";  // the service demands that it is said
    tools.emplace_back(Object{{"name", tool.name}, {"description", tool.description}, {"input_schema", std::move(*schema)}});
  }
  if (!tools.empty()) body["tools"] = std::move(tools);
  if (!request.answer_schema.empty()) {
    auto schema = wire::schema_of(request.answer_schema, "the answer");
    if (!schema) return fail(schema.error());
    if (wire::fits_strict(*schema))
      body["output_config"] = Object{{"format", Object{{"type", "json_schema"}, {"schema", std::move(*schema)}}}};
    else
      system += (system.empty() ? "" : "\n\n") + wire::schema_in_words(request);
  }
  if (!system.empty()) body["system"] = std::move(system);
  return core::to_json(body);
}

}  // namespace conductorai::integrations::anthropic
