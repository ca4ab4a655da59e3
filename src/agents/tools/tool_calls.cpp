#include "agents/tools/tool_calls.hpp"

#include <algorithm>

#include "agents/base/prompt_parts.hpp"
#include "base/human.hpp"
#include "base/printable.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

task<Result<Value>> perform_as_value(const Tool* tool, ToolSetting setting, Object arguments) {
  auto answer = co_await tool->perform(std::move(setting), std::move(arguments));
  if (!answer) co_return fail(answer.error());
  co_return Value(Object{{"text", answer->text}, {"failed", answer->failed}, {"attributes", answer->attributes}});
}

ToolAnswer answer_of(const Value& value) {
  const auto text = [&value](std::string_view key) {
    const Value* found = value.find(key);
    return found != nullptr && found->as_string() != nullptr ? *found->as_string() : std::string();
  };
  const Value* failed = value.find("failed");
  return {.text = text("text"),
          .failed = failed != nullptr && failed->as_bool() != nullptr && *failed->as_bool(),
          .attributes = text("attributes")};
}

// A command is a step by itself.
task<Result<ToolAnswer>> perform_tool(const Tool* tool, ToolSetting setting, Object arguments, std::string label) {
  if (tool->effect == ToolEffect::runs) {
    auto answer = co_await tool->perform(std::move(setting), std::move(arguments));
    co_return answer;
  }
  TaskContext& context = *setting.context;
  RecordRequest request{.kind = "tool",
                        .request = std::string(tool->name) + "\n" + core::to_json(arguments),
                        .label = std::move(label),
                        .changes_files = tool->effect == ToolEffect::writes};
  PerformStep perform = [tool, setting = std::move(setting), arguments = std::move(arguments)](StepId) {
    return perform_as_value(tool, setting, arguments);
  };
  auto value = co_await context.record(std::move(request), std::move(perform));
  if (!value) co_return fail(value.error());
  co_return answer_of(*value);
}

std::string names_of(const ToolAccess& access) {
  std::string names;
  for (const std::string_view name : access.tools) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

// Cut where a line ends, if one does nearby, and never within a character.
std::string_view head_of(std::string_view text, std::size_t bytes) {
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  const auto line = text.substr(0, bytes).rfind('\n');
  return text.substr(0, line == std::string_view::npos || line < bytes / 2 ? bytes : line + 1);
}
std::string_view tail_of(std::string_view text, std::size_t bytes) {
  std::size_t from = text.size() - bytes;
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
  const auto line = text.find('\n', from);
  return text.substr(line == std::string_view::npos || line > from + bytes / 2 ? from : line + 1);
}

task<Result<std::string>> shown(ToolSetting setting, ToolAnswer answer, std::size_t bytes_max) {
  if (answer.text.size() <= bytes_max) co_return answer.text;
  const std::string_view head = head_of(answer.text, bytes_max / 3 * 2);
  const std::string_view tail = tail_of(answer.text, bytes_max / 3);
  const std::size_t left_out = answer.text.size() - std::min(answer.text.size(), head.size() + tail.size());
  std::string text(head);
  if (!text.ends_with('\n')) text += '\n';
  text += "… " + std::to_string(left_out) + " bytes left out here; ask for less at once to see them …\n" + std::string(tail);
  if (answer.artifacts.empty()) {
    auto kept = co_await setting.context->save_artifact(setting.call_name + ".txt", "tool-result", std::move(answer.text));
    if (!kept) co_return fail(kept.error());
  }
  co_return text;
}

}  // namespace

std::string call_line(const ToolCall& call, std::size_t bytes_max) {
  for (const std::string_view key : {"path", "command", "pattern", "folder"})
    if (const Value* value = call.arguments.find(key); value != nullptr && value->as_string() != nullptr)
      return printable_line(call.name + " " + *value->as_string(), bytes_max);
  return printable_line(call.name, bytes_max);
}

task<Result<std::string>> perform_call(ToolSetting setting, ToolCall call, std::size_t bytes_shown) {
  const ToolAccess& access = *setting.access;
  ToolAnswer answer;
  const Tool* tool = find_tool(call.name);
  const bool offered = tool != nullptr && std::ranges::find(access.tools, std::string_view(call.name)) != access.tools.end();
  auto arguments = offered ? check_arguments(*tool, call.arguments) : Result<Object>(Object{});
  if (!offered) {
    answer = refusal("there is no tool " + printable_line(call.name, 100) + "; there are " + names_of(access) + "\n");
  } else if (!arguments) {
    answer = refusal(printable_line(arguments.error().message, 1'000) + "\n");
  } else {
    auto performed = co_await perform_tool(tool, setting, std::move(*arguments), call_line(call, 80));
    if (!performed) co_return fail(performed.error());
    answer = std::move(*performed);
  }
  const std::string attributes = "tool=\"" + (offered ? call.name : std::string("unknown")) + "\"" +
                                 (answer.attributes.empty() ? "" : " " + answer.attributes) + (answer.failed ? " failed=\"true\"" : "");
  auto text = co_await shown(std::move(setting), std::move(answer), bytes_shown);
  if (!text) co_return fail(text.error());
  co_return data_block("tool-result", attributes, *text);
}

}  // namespace conductorai::agents
