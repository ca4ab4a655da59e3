#include "core/json.hpp"
#include "integrations/llm/openai/openai.hpp"
#include "integrations/llm/wire/json_write.hpp"

namespace conductorai::integrations::openai {

namespace {

Value call_of(const ToolCall& call) {
  return Object{
      {"id", call.id}, {"type", "function"}, {"function", Object{{"name", call.name}, {"arguments", wire::arguments_text(call)}}}};
}

Value message_of(const ChatMessage& message) {
  Object out{{"role", std::string(wire::role_name(message.role))}, {"content", message.text}};
  if (message.role == Role::tool) out["tool_call_id"] = message.tool_call_id;
  if (message.role == Role::assistant && !message.tool_calls.empty()) {
    Array calls;
    for (const ToolCall& call : message.tool_calls) calls.push_back(call_of(call));
    out["tool_calls"] = std::move(calls);
    if (message.text.empty()) out["content"] = nullptr;
    for (const Value& part : message.thinking)
      if (const Value* thought = part.find("reasoning_content")) out["reasoning_content"] = *thought;
  }
  return out;
}

Result<Array> tools_of(const LLMRequest& request) {
  Array tools;
  for (const ToolSpec& tool : request.tools) {
    auto schema = wire::schema_of(tool.parameters_schema, "tool " + tool.name);
    if (!schema) return fail(schema.error());
    Object function{{"name", tool.name}, {"description", tool.description}, {"strict", wire::fits_strict(*schema)}};
    function["parameters"] = std::move(*schema);
    tools.emplace_back(Object{{"type", "function"}, {"function", std::move(function)}});
  }
  return tools;
}

}  // namespace

Result<std::string> write_chat(const LLMRequest& request, const WriteOptions& options) {
  Array messages;
  for (const ChatMessage& message : request.messages) messages.push_back(message_of(message));
  Object body{{"model", options.model}, {"messages", std::move(messages)}};
  body[options.own_service ? "max_completion_tokens" : "max_tokens"] = request.output_tokens_max;
  if (takes_temperature(options.model)) body["temperature"] = request.temperature;
  if (options.stream) {
    body["stream"] = true;
    body["stream_options"] = Object{{"include_usage", true}};
  }
  auto tools = tools_of(request);
  if (!tools) return fail(tools.error());
  if (!tools->empty()) body["tools"] = std::move(*tools);
  if (!request.answer_schema.empty()) {
    auto schema = wire::schema_of(request.answer_schema, "the answer");
    if (!schema) return fail(schema.error());
    Object format{{"name", "answer"}, {"strict", wire::fits_strict(*schema)}};
    format["schema"] = std::move(*schema);
    body["response_format"] = Object{{"type", "json_schema"}, {"json_schema", std::move(format)}};
  }
  return core::to_json(body);
}

}  // namespace conductorai::integrations::openai
