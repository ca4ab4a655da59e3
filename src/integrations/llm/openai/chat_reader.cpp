#include <utility>

#include "core/json.hpp"
#include "integrations/llm/openai/openai.hpp"
#include "integrations/llm/wire/api_error.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations::openai {

namespace {

using wire::at;
using wire::integer;
using wire::items;
using wire::text;

struct Call {
  std::int64_t index = 0;
  std::string id, name, arguments;
};

class ChatReader final : public AnswerReader {
 public:
  Result<void> event(std::string_view type, const Value& data) override {
    if (at(data, {"error"}) != nullptr || type == "error") return fail(answer_error(data, saw_choice_));
    take_head(data);
    for (const Value& choice : items(data, {"choices"}))
      if (integer(choice, {"index"}) == 0)
        if (const Value* delta = at(choice, {"delta"}); delta != nullptr || at(choice, {"finish_reason"}) != nullptr)
          take_choice(choice, delta != nullptr ? *delta : Value(Object{}));
    return {};
  }
  void done_marker() override { done_ = true; }

  Result<LLMResponse> end_of_stream() override {
    if (!done_ && finish_.empty()) return fail(cut_stream());
    return result();
  }

  Result<LLMResponse> whole(const Value& body) override {
    if (at(body, {"error"}) != nullptr) return fail(answer_error(body, false));
    take_head(body);
    for (const Value& choice : items(body, {"choices"}))
      if (const Value* message = at(choice, {"message"}); message != nullptr && integer(choice, {"index"}) == 0) {
        take_choice(choice, *message);
        if (finish_.empty()) finish_ = text(choice, {"finish_details", "type"});
      }
    return result();
  }

 private:
  void take_head(const Value& data) {
    if (const auto model = text(data, {"model"}); !model.empty()) answer_.model = model;
    const Value* usage = at(data, {"usage"});
    if (usage == nullptr) usage = at(data, {"x_groq", "usage"});
    if (usage == nullptr) return;
    answer_.usage.input_tokens = integer(*usage, {"prompt_tokens"});
    answer_.usage.output_tokens = integer(*usage, {"completion_tokens"});
    answer_.cached_input_tokens = integer(*usage, {"prompt_tokens_details", "cached_tokens"});
    answer_.reasoning_tokens = integer(*usage, {"completion_tokens_details", "reasoning_tokens"});
  }

  void take_choice(const Value& choice, const Value& said) {
    saw_choice_ = true;
    const std::string piece = wire::content_text(said, "content", "text");
    answer_.text += piece;
    tell(piece);
    const auto thought = text(said, {"reasoning_content"});
    answer_.reasoning += thought.empty() ? text(said, {"reasoning"}) : thought;
    reasoning_content_ += thought;
    for (const Value& part : items(said, {"content"}))
      if (text(part, {"type"}) == "thinking") answer_.reasoning += wire::content_text(part, "thinking", "text");
    answer_.refusal += text(said, {"refusal"});
    for (const Value& call : items(said, {"tool_calls"})) take_call(call);
    if (const Value* legacy = at(said, {"function_call"})) take_call(Object{{"function", *legacy}, {"id", "function_call"}});
    if (const auto reason = text(choice, {"finish_reason"}); !reason.empty()) finish_ = reason;
  }

  void take_call(const Value& piece) {
    const std::string_view id = text(piece, {"id"});
    const std::string_view name = text(piece, {"function", "name"});
    const Value* given = at(piece, {"index"});
    const bool numbered = given != nullptr && given->as_int() != nullptr;
    Call* call = nullptr;
    if (numbered) {
      for (Call& known : calls_)
        if (known.index == *given->as_int()) call = &known;
    } else if (!calls_.empty() && id.empty()) {
      call = &calls_.back();
    }
    // Some services number all calls 0; a new id with a name is a new call.
    if (call != nullptr && !id.empty() && !call->id.empty() && call->id != id && !name.empty()) call = nullptr;
    if (call == nullptr) call = &calls_.emplace_back(numbered ? *given->as_int() : static_cast<std::int64_t>(calls_.size()));
    if (!id.empty()) call->id = id;
    if (!name.empty()) call->name = name;
    if (const Value* arguments = at(piece, {"function", "arguments"}))
      call->arguments += arguments->as_string() != nullptr ? *arguments->as_string() : core::to_json(*arguments);
  }

  Result<LLMResponse> result() {
    if (!saw_choice_) return fail(not_an_answer("the provider's answer holds no choice"));
    if (finish_ == "error" || finish_ == "insufficient_system_resource")
      return fail(not_an_answer("the provider broke off with finish_reason '" + finish_ + "'"));
    for (Call& call : calls_) answer_.tool_calls.push_back({std::move(call.id), std::move(call.name), wire::arguments_of(call.arguments)});
    if (!reasoning_content_.empty()) answer_.thinking.emplace_back(Object{{"reasoning_content", std::move(reasoning_content_)}});
    answer_.finish = finish();
    return std::move(answer_);
  }

  [[nodiscard]] FinishReason finish() const {
    if (finish_ == "length" || finish_ == "max_tokens") return FinishReason::length;
    if (finish_ == "content_filter") return FinishReason::content_filter;
    if (!answer_.refusal.empty()) return FinishReason::refusal;
    return answer_.tool_calls.empty() ? FinishReason::stop : FinishReason::tool_calls;
  }

  LLMResponse answer_;
  std::string reasoning_content_;  // an extension of several services, who want it back
  std::vector<Call> calls_;
  std::string finish_;
  bool saw_choice_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> read_chat() {
  return std::make_unique<ChatReader>();
}

}  // namespace conductorai::integrations::openai
