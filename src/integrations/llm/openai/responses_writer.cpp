#include <algorithm>

#include "core/json.hpp"
#include "integrations/llm/openai/openai.hpp"
#include "integrations/llm/wire/json_read.hpp"
#include "integrations/llm/wire/json_write.hpp"

namespace conductorai::integrations::openai {

namespace {

constexpr std::int64_t kOutputTokensMin = 16;  // the service refuses less

void add_items(const ChatMessage& message, Array& input) {
  if (message.role == Role::system) return;
  if (message.role == Role::tool) {
    input.emplace_back(Object{{"type", "function_call_output"}, {"call_id", message.tool_call_id}, {"output", message.text}});
    return;
  }
  for (const Value& item : message.thinking)
    if (wire::text(item, {"type"}) == "reasoning") input.push_back(item);
  if (!message.text.empty() || message.tool_calls.empty())
    input.emplace_back(Object{{"type", "message"}, {"role", std::string(wire::role_name(message.role))}, {"content", message.text}});
  for (const ToolCall& call : message.tool_calls)
    input.emplace_back(
        Object{{"type", "function_call"}, {"call_id", call.id}, {"name", call.name}, {"arguments", wire::arguments_text(call)}});
}

}  // namespace

Result<std::string> write_responses(const LLMRequest& request, const WriteOptions& options) {
  Array input;
  for (const ChatMessage& message : request.messages) add_items(message, input);
  Object body{{"model", options.model},
              {"input", std::move(input)},
              {"max_output_tokens", std::max(request.output_tokens_max, kOutputTokensMin)},
              {"store", false}};
  if (std::string system = wire::system_text(request); !system.empty()) body["instructions"] = std::move(system);
  if (takes_temperature(options.model))
    body["temperature"] = request.temperature;
  else
    body["include"] = Array{"reasoning.encrypted_content"};  // nothing is stored there: to think on, it must get its thoughts back
  if (options.stream) body["stream"] = true;
  Array tools;
  for (const ToolSpec& tool : request.tools) {
    auto schema = wire::schema_of(tool.parameters_schema, "tool " + tool.name);
    if (!schema) return fail(schema.error());
    Object one{{"type", "function"}, {"name", tool.name}, {"description", tool.description}, {"strict", wire::fits_strict(*schema)}};
    one["parameters"] = std::move(*schema);
    tools.emplace_back(std::move(one));
  }
  if (!tools.empty()) body["tools"] = std::move(tools);
  if (!request.answer_schema.empty()) {
    auto schema = wire::schema_of(request.answer_schema, "the answer");
    if (!schema) return fail(schema.error());
    Object format{{"type", "json_schema"}, {"name", "answer"}, {"strict", wire::fits_strict(*schema)}};
    format["schema"] = std::move(*schema);
    body["text"] = Object{{"format", std::move(format)}};
  }
  return core::to_json(body);
}

}  // namespace conductorai::integrations::openai
