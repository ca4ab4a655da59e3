#include <map>
#include <utility>

#include "integrations/llm/anthropic/anthropic.hpp"
#include "integrations/llm/wire/api_error.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations::anthropic {

namespace {

using wire::at;
using wire::integer;
using wire::items;
using wire::text;

struct Block {
  std::string type, id, name;
  std::string text;       // of text, of thinking, or a tool's input as JSON text
  std::string signature;  // of thinking
  std::string data;       // of thinking that is not shown
  Value input;            // where it came whole
};

class MessagesReader final : public AnswerReader {
 public:
  Result<void> event(std::string_view named, const Value& data) override {
    std::string_view type = text(data, {"type"});
    if (type.empty()) type = named;
    if (type == "error") return fail(answer_error(data, !blocks_.empty()));
    if (type == "message_start") {
      if (std::exchange(started_, true)) return fail(not_an_answer("the answer's stream begins a second time"));
      if (const Value* message = at(data, {"message"})) take_head(*message);
    } else if (type == "content_block_start") {
      if (const Value* block = at(data, {"content_block"})) start_block(integer(data, {"index"}), *block);
    } else if (type == "content_block_delta") {
      if (const Value* delta = at(data, {"delta"})) take_delta(blocks_[integer(data, {"index"})], *delta);
    } else if (type == "message_delta") {
      if (const auto reason = text(data, {"delta", "stop_reason"}); !reason.empty()) stop_reason_ = reason;
      if (const Value* usage = at(data, {"usage"})) take_usage(*usage);
    } else if (type == "message_stop") {
      stopped_ = true;
    }
    return {};
  }

  Result<LLMResponse> end_of_stream() override {
    if (!stopped_ || !started_) return fail(cut_stream());
    return result();
  }

  Result<LLMResponse> whole(const Value& body) override {
    if (text(body, {"type"}) == "error" || at(body, {"error"}) != nullptr) return fail(answer_error(body, false));
    if (body.find("content") == nullptr) return fail(not_an_answer("the provider's answer holds no content"));
    take_head(body);
    std::int64_t index = 0;
    for (const Value& block : items(body, {"content"})) start_block(index++, block);
    return result();
  }

 private:
  void take_head(const Value& message) {
    answer_.model = text(message, {"model"});
    if (const auto reason = text(message, {"stop_reason"}); !reason.empty()) stop_reason_ = reason;
    if (const Value* usage = at(message, {"usage"})) take_usage(*usage);
  }

  void start_block(std::int64_t index, const Value& from) {
    Block& block = blocks_[index];
    block.type = text(from, {"type"});
    block.id = text(from, {"id"});
    block.name = text(from, {"name"});
    block.text = text(from, {block.type == "thinking" ? "thinking" : "text"});
    block.signature = text(from, {"signature"});
    block.data = text(from, {"data"});
    if (block.type == "text") tell(block.text);
    if (const Value* input = at(from, {"input"})) block.input = *input;
  }

  void take_delta(Block& block, const Value& delta) {
    const std::string_view type = text(delta, {"type"});
    if (type == "text_delta") {
      tell(text(delta, {"text"}));
      block.text += text(delta, {"text"});
    } else if (type == "input_json_delta") {
      block.text += text(delta, {"partial_json"});
    } else if (type == "thinking_delta") {
      block.text += text(delta, {"thinking"});
    } else if (type == "signature_delta") {
      block.signature += text(delta, {"signature"});
    }
  }

  // The last word on each number wins; a final event leaves out what has not changed.
  void take_usage(const Value& usage) {
    const auto keep = [&](std::int64_t& number, std::initializer_list<std::string_view> path) {
      if (at(usage, path) != nullptr) number = integer(usage, path);
    };
    keep(input_, {"input_tokens"});
    keep(answer_.usage.output_tokens, {"output_tokens"});
    keep(answer_.cached_input_tokens, {"cache_read_input_tokens"});
    keep(answer_.cache_write_tokens, {"cache_creation_input_tokens"});
    keep(answer_.reasoning_tokens, {"output_tokens_details", "thinking_tokens"});
  }

  void take_block(Block& block) {
    if (block.type == "text") {
      answer_.text += block.text;
    } else if (block.type == "thinking") {
      answer_.reasoning += block.text;
      answer_.thinking.emplace_back(Object{{"type", block.type}, {"thinking", block.text}, {"signature", block.signature}});
    } else if (block.type == "redacted_thinking") {
      answer_.thinking.emplace_back(Object{{"type", block.type}, {"data", block.data}});
    } else if (block.type == "tool_use") {
      Value input = block.text.empty() && !block.input.is_null() ? std::move(block.input) : wire::arguments_of(block.text);
      answer_.tool_calls.push_back({std::move(block.id), std::move(block.name), std::move(input)});
    }
  }

  Result<LLMResponse> result() {
    if (stop_reason_.empty()) return fail(not_an_answer("the provider's answer has no stop reason"));
    for (auto& [index, block] : blocks_) take_block(block);
    // Ours counts the cached ones among the input; theirs does not.
    answer_.usage.input_tokens = input_ + answer_.cached_input_tokens + answer_.cache_write_tokens;
    if (stop_reason_ == "pause_turn") return fail(not_an_answer("the provider paused its turn, which was not asked for"));
    if (stop_reason_ == "max_tokens" || stop_reason_ == "model_context_window_exceeded")
      answer_.finish = FinishReason::length;
    else if (stop_reason_ == "refusal")
      answer_.finish = FinishReason::refusal;
    else
      answer_.finish = answer_.tool_calls.empty() ? FinishReason::stop : FinishReason::tool_calls;
    return std::move(answer_);
  }

  LLMResponse answer_;
  std::map<std::int64_t, Block> blocks_;
  std::string stop_reason_;
  std::int64_t input_ = 0;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> read_messages() {
  return std::make_unique<MessagesReader>();
}

}  // namespace conductorai::integrations::anthropic
