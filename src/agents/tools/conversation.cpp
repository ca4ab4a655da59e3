#include "agents/tools/conversation.hpp"

#include "core/codec.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kKeptBytes = 300;    // shorter ones are not worth leaving out
constexpr std::size_t kMessageBytes = 64;  // around each message

std::size_t size_of(const ChatMessage& message) {
  std::size_t bytes = kMessageBytes + message.text.size();
  for (const ToolCall& call : message.tool_calls) bytes += kMessageBytes + call.name.size() + core::to_json(call.arguments).size();
  for (const Value& part : message.thinking) bytes += core::to_json(part).size();
  return bytes;
}

std::string left_out(std::size_t bytes) {
  return "(" + std::to_string(bytes) + " bytes of an earlier turn are left out here)";
}

bool shorten_arguments(ChatMessage& message) {
  bool shortened = false;
  for (ToolCall& call : message.tool_calls) {
    Object* arguments = call.arguments.as_object();
    if (arguments == nullptr) continue;
    for (auto& [name, value] : *arguments) {
      const std::string* text = value.as_string();
      if (text == nullptr || text->size() <= kKeptBytes) continue;
      value = left_out(text->size());
      shortened = true;
    }
  }
  return shortened;
}

bool shorten_result(ChatMessage& message) {
  if (message.role != Role::tool || message.text.size() <= kKeptBytes) return false;
  message.text = left_out(message.text.size()) + " Call the tool again where you need it.";
  return true;
}

/// A provider asks for the thinking of the last turn only.
bool shorten_thinking(ChatMessage& message) {
  return !std::exchange(message.thinking, {}).empty();
}

}  // namespace

Conversation::Conversation(std::string system, std::string user, std::size_t bytes_max) : bytes_max_(bytes_max) {
  messages_.push_back({.role = Role::system, .text = std::move(system), .tool_calls = {}, .tool_call_id = {}, .thinking = {}});
  messages_.push_back({.role = Role::user, .text = std::move(user), .tool_calls = {}, .tool_call_id = {}, .thinking = {}});
  for (const ChatMessage& message : messages_) bytes_ += size_of(message);
  last_turn_ = messages_.size();
}

void Conversation::add_turn(const LLMResponse& answer) {
  last_turn_ = messages_.size();
  messages_.push_back(
      {.role = Role::assistant, .text = answer.text, .tool_calls = answer.tool_calls, .tool_call_id = {}, .thinking = answer.thinking});
  bytes_ += size_of(messages_.back());
}

void Conversation::add_result(const std::string& call_id, std::string text) {
  messages_.push_back({.role = Role::tool, .text = std::move(text), .tool_calls = {}, .tool_call_id = call_id, .thinking = {}});
  bytes_ += size_of(messages_.back());
}

void Conversation::resize(ChatMessage& message, std::size_t before) {
  bytes_ = bytes_ - before + size_of(message);
}

bool Conversation::fit() {
  if (bytes_ <= bytes_max_) return true;
  const std::size_t wanted = bytes_max_ / 10 * 7;
  for (bool (*shorten)(ChatMessage&) : {shorten_thinking, shorten_result, shorten_arguments})
    for (std::size_t i = 2; i < last_turn_ && bytes_ > wanted; ++i) {
      const std::size_t before = size_of(messages_[i]);
      if (shorten(messages_[i])) resize(messages_[i], before);
    }
  return bytes_ <= bytes_max_;
}

int RepeatGuard::note(const ToolCall& call, const std::string& result) {
  const std::string key = core::sha256_hex(call.name + "\n" + core::to_json(call.arguments) + "\n" + result);
  const auto [found, is_new] = counts_.try_emplace(key, 0);
  if (is_new)
    for (auto& [other, count] : counts_) count = std::min(count, 1);
  return ++found->second;
}

}  // namespace conductorai::agents
