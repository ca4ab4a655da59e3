#include "integrations/llm/wire/answer_parser.hpp"

#include "base/printable.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations {

bool AnswerParser::feed(std::string_view piece) {
  if (error_) return false;
  bytes_ += piece.size();
  if (bytes_ > bytes_max_) {
    error_ = not_an_answer("the answer is larger than " + std::to_string(bytes_max_) + " bytes");
    error_->retry = Retry::never;
    return false;
  }
  if (form_ == Form::unknown) {
    body_ += piece;
    const auto first = body_.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return true;
    form_ = body_[first] == '{' || body_[first] == '[' || body_[first] == '<' ? Form::body : Form::stream;
    if (form_ == Form::body) return true;
    const std::string so_far = std::exchange(body_, {});
    events_.feed(so_far, [this](const SseEvent& event) { take(event); });
    return !error_;
  }
  if (form_ == Form::body) {
    body_ += piece;
    return true;
  }
  events_.feed(piece, [this](const SseEvent& event) { take(event); });
  return !error_;
}

void AnswerParser::take(const SseEvent& event) {
  if (error_ || done_) return;  // some services go on talking after their last word
  if (event.data == "[DONE]") {
    done_ = true;
    reader_->done_marker();
    return;
  }
  if (event.data.empty()) return;
  auto data = wire::parse(event.data);
  if (!data) {
    error_ = not_an_answer("an event of the answer's stream is no JSON: " + printable_line(event.data.substr(0, 200), 120));
    return;
  }
  if (auto taken = reader_->event(event.type, *data); !taken) error_ = taken.error();
}

Result<LLMResponse> AnswerParser::finish() {
  if (error_) return fail(*error_);
  if (form_ == Form::stream) return reader_->end_of_stream();
  if (form_ == Form::unknown) return fail(not_an_answer("the answer is empty"));
  auto body = wire::parse(body_);
  if (!body) return fail(not_an_answer("the answer is no JSON: " + printable_line(std::string_view(body_).substr(0, 200), 120)));
  return reader_->whole(*body);
}

}  // namespace conductorai::integrations
