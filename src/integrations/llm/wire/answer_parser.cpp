#include "integrations/llm/wire/answer_parser.hpp"

#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "core/json.hpp"

namespace conductorai::integrations {

namespace {

/// What a line of an event stream begins with: data, event, id, retry, a comment, a byte order mark.
constexpr std::string_view kFieldStarts = "deir:\xEF";

/// A byte that is none of a text is never guessed: it may stand in a file's content.
Result<Value> parsed(std::string_view text, const char* what) {
  auto json = core::parse_json(text);
  if (json) return json;
  if (!is_utf8(text)) return fail(not_an_answer(std::string(what) + " holds bytes that are no UTF-8"));
  return fail(not_an_answer(std::string(what) + " is no JSON: " + printable_line(text.substr(0, 200), 120)));
}

}  // namespace

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
    form_ = kFieldStarts.contains(body_[first]) ? Form::stream : Form::body;
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
  auto data = parsed(event.data, "an event of the answer's stream");
  if (!data) {
    error_ = data.error();
    return;
  }
  if (auto taken = reader_->event(event.type, *data); !taken) error_ = taken.error();
}

Result<LLMResponse> AnswerParser::finish() {
  if (error_) return fail(*error_);
  if (form_ == Form::stream) return reader_->end_of_stream();
  if (form_ == Form::unknown) return fail(not_an_answer("the answer is empty"));
  auto body = parsed(body_, "the answer");
  if (!body) return fail(body.error());
  return reader_->whole(*body);
}

}  // namespace conductorai::integrations
