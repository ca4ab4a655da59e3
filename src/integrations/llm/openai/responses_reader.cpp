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

/// A stream ends with the whole response in its last event; what came before is only for those who watch.
class ResponsesReader final : public AnswerReader {
 public:
  Result<void> event(std::string_view named, const Value& data) override {
    std::string_view type = text(data, {"type"});
    if (type.empty()) type = named;
    if (type == "error" || at(data, {"error"}) != nullptr) return fail(answer_error(data, partial_));
    if (type.ends_with(".delta")) partial_ = true;
    if (type == "response.output_text.delta") tell(text(data, {"delta"}));
    if (type == "response.output_item.done")
      if (const Value* item = at(data, {"item"})) done_items_.push_back(*item);
    if (type != "response.completed" && type != "response.incomplete" && type != "response.failed") return {};
    if (const Value* response = at(data, {"response"})) last_ = *response;
    return {};
  }

  Result<LLMResponse> end_of_stream() override {
    if (last_.is_null()) return fail(cut_stream());
    if (items(last_, {"output"}).empty() && last_.as_object() != nullptr) (*last_.as_object())["output"] = std::move(done_items_);
    return whole(last_);
  }

  Result<LLMResponse> whole(const Value& body) override {
    const std::string_view status = text(body, {"status"});
    if (at(body, {"error"}) != nullptr) return fail(answer_error(body, partial_));
    if (body.find("output") == nullptr) return fail(not_an_answer("the provider's answer holds no output"));
    if (status != "completed" && status != "incomplete" && !status.empty())
      return fail(not_an_answer("the provider's answer has status '" + std::string(status) + "'"));
    LLMResponse answer;
    answer.model = text(body, {"model"});
    for (const Value& item : items(body, {"output"})) take_item(item, answer);
    take_usage(body, answer);
    answer.finish = finish(body, answer);
    return answer;
  }

 private:
  static void take_item(const Value& item, LLMResponse& answer) {
    const std::string_view type = text(item, {"type"});
    if (type == "message") {
      answer.text += text(item, {"content"});  // some services give it as one text
      for (const Value& part : items(item, {"content"})) {
        if (text(part, {"type"}) == "output_text") answer.text += text(part, {"text"});
        if (text(part, {"type"}) == "refusal") answer.refusal += text(part, {"refusal"});
      }
    } else if (type == "function_call") {
      std::string_view id = text(item, {"call_id"});
      if (id.empty()) id = text(item, {"id"});
      answer.tool_calls.push_back({std::string(id), std::string(text(item, {"name"})), wire::arguments_of(text(item, {"arguments"}))});
    } else if (type == "reasoning") {
      for (const char* list : {"summary", "content"})
        for (const Value& part : items(item, {list})) answer.reasoning += text(part, {"text"});
      keep_thinking(item, answer);
    }
  }

  /// Without its encrypted content an item is only a name of what the service does not store for us.
  static void keep_thinking(const Value& item, LLMResponse& answer) {
    const auto sealed = text(item, {"encrypted_content"});
    if (sealed.empty()) return;
    const Value* summary = at(item, {"summary"});
    answer.thinking.emplace_back(Object{{"type", "reasoning"},
                                        {"id", std::string(text(item, {"id"}))},
                                        {"summary", summary == nullptr ? Value(Array{}) : *summary},
                                        {"encrypted_content", std::string(sealed)}});
  }

  static void take_usage(const Value& body, LLMResponse& answer) {
    answer.usage.input_tokens = integer(body, {"usage", "input_tokens"});
    answer.usage.output_tokens = integer(body, {"usage", "output_tokens"});
    answer.cached_input_tokens = integer(body, {"usage", "input_tokens_details", "cached_tokens"});
    answer.cache_write_tokens = integer(body, {"usage", "input_tokens_details", "cache_write_tokens"});
    answer.reasoning_tokens = integer(body, {"usage", "output_tokens_details", "reasoning_tokens"});
  }

  static FinishReason finish(const Value& body, const LLMResponse& answer) {
    const std::string_view why = text(body, {"incomplete_details", "reason"});
    if (why == "content_filter") return FinishReason::content_filter;
    if (!why.empty() || text(body, {"status"}) == "incomplete") return FinishReason::length;
    if (!answer.refusal.empty()) return FinishReason::refusal;
    return answer.tool_calls.empty() ? FinishReason::stop : FinishReason::tool_calls;
  }

  Value last_;
  Array done_items_;
  bool partial_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> read_responses() {
  return std::make_unique<ResponsesReader>();
}

}  // namespace conductorai::integrations::openai
