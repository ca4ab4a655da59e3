#pragma once
// AnswerParser: the bytes of one successful answer, in pieces of any size, to the uniform response.

#include <memory>
#include <optional>

#include "integrations/llm/wire/answer_reader.hpp"
#include "integrations/llm/wire/sse.hpp"

namespace conductorai::integrations {

/// Whether it is a stream or one JSON body is seen from its first byte: services do not always send what was asked for.
class AnswerParser {
 public:
  explicit AnswerParser(std::unique_ptr<AnswerReader> reader, std::size_t bytes_max = std::size_t{32} << 20)
      : reader_(std::move(reader)), bytes_max_(bytes_max), events_(bytes_max) {}
  /// False when nothing more is wanted: it went wrong already, or is larger than the bound.
  bool feed(std::string_view piece);
  /// REQUIRES: the bytes ended in good order. Errors: invalid_answer, and what the service says went wrong.
  Result<LLMResponse> finish();

 private:
  enum class Form { unknown, stream, body };
  void take(const SseEvent& event);

  std::unique_ptr<AnswerReader> reader_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  SseReader events_;
  Form form_ = Form::unknown;
  std::string body_;
  bool done_ = false;
  std::optional<Error> error_;
};

}  // namespace conductorai::integrations
