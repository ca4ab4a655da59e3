#pragma once
// AnswerReader: one protocol's reading of one answer, as a stream of events or as a whole body, to the uniform response.

#include <functional>
#include <string>
#include <string_view>

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

class AnswerReader {
 public:
  using OnText = std::function<void(std::string_view)>;

  virtual ~AnswerReader() = default;
  /// The data of one event, "[DONE]" apart. Errors: what the service says went wrong, and events that make no sense; they end the answer.
  virtual Result<void> event(std::string_view type, const Value& data) = 0;
  virtual void done_marker() {}
  /// The stream has ended in good order. Errors: invalid_answer when the protocol's closing event did not come.
  virtual Result<LLMResponse> end_of_stream() = 0;
  virtual Result<LLMResponse> whole(const Value& body) = 0;

  void on_text(OnText on_text) { on_text_ = std::move(on_text); }

 protected:
  void tell(std::string_view piece) const {
    if (on_text_ && !piece.empty()) on_text_(piece);
  }

 private:
  OnText on_text_;
};

/// The stream ended too early: it has cost something and is no answer. Trying again can help.
Error cut_stream();
/// What came is no answer of this protocol.
Error not_an_answer(std::string what);

}  // namespace conductorai::integrations
