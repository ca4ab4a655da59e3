#pragma once
// A conversation that stays below what the model can take in. Pure: the same turns give the same messages, so a resumed attempt asks the
// same again.

#include <string>
#include <vector>

#include "conductorai/llm_provider.hpp"

namespace conductorai::agents {

class Conversation {
 public:
  /// `bytes_max`: of all messages together.
  Conversation(std::string system, std::string user, std::size_t bytes_max);

  /// An answer that calls tools.
  void add_turn(const LLMResponse& answer);
  void add_result(const std::string& call_id, std::string text);

  /// Leaves out old thinking, then old tool results, then old arguments, oldest first and some at a time (what stays as it was is cheaper
  /// to ask again). The last turn is left alone. False: it is too long even so.
  [[nodiscard]] bool fit();

  [[nodiscard]] const std::vector<ChatMessage>& messages() const { return messages_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void resize(ChatMessage& message, std::size_t before);

  std::vector<ChatMessage> messages_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::size_t last_turn_ = 0;  // where it begins
};

/// Finds a model that goes in circles.
class RepeatGuard {
 public:
  /// How often this call has had this result since something new came last, this time counted.
  int note(const ToolCall& call, const std::string& result);

 private:
  std::map<std::string, int> counts_;
};

}  // namespace conductorai::agents
