#include "integrations/llm/reservation.hpp"

#include "core/json.hpp"

namespace conductorai::integrations {
namespace {

// Roles and separators of each message, and the instructions a provider adds for tools (Anthropic's pages name up to 530).
std::int64_t framing_tokens(const RequestSize& size) {
  constexpr std::int64_t kMessage = 16;
  constexpr std::int64_t kTool = 32;
  constexpr std::int64_t kTools = 600;
  return kMessage * size.messages + (size.tools > 0 || size.schema ? kTools : 0) + kTool * size.tools;
}

}  // namespace

RequestSize size_of(const LLMRequest& request) {
  std::size_t bytes = request.answer_schema.size();
  for (const ChatMessage& message : request.messages) {
    bytes += message.text.size();
    for (const ToolCall& call : message.tool_calls) bytes += call.name.size() + core::to_json(call.arguments).size();
    for (const Value& part : message.thinking) bytes += core::to_json(part).size();
  }
  for (const ToolSpec& tool : request.tools) bytes += tool.name.size() + tool.description.size() + tool.parameters_schema.size();
  return {.bytes = static_cast<std::int64_t>(bytes),
          .messages = static_cast<std::int64_t>(request.messages.size()),
          .tools = static_cast<std::int64_t>(request.tools.size()),
          .schema = !request.answer_schema.empty(),
          .output_tokens_max = request.output_tokens_max};
}

Amounts reservation(const RequestSize& size, const std::optional<Price>& price, bool frames) {
  const std::int64_t input = size.bytes + (frames ? framing_tokens(size) : 0);
  return {.usd_micros = price ? worst_cost(*price, input, size.output_tokens_max) : 0,
          .tokens = input + size.output_tokens_max,
          .calls = 1,
          .wall_ms = 0};
}

}  // namespace conductorai::integrations
