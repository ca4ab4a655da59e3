// Answers that real services gave (recorded), and what becomes of them: whole, and cut into pieces of any size.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "core/json.hpp"
#include "integrations/llm/anthropic/anthropic.hpp"
#include "integrations/llm/openai/openai.hpp"
#include "integrations/llm/wire/answer_parser.hpp"
#include "integrations/llm/wire/api_error.hpp"
#include "integrations/llm/wire/json_read.hpp"

namespace conductorai::integrations {
namespace {

using wire::at;
using wire::integer;
using wire::items;
using wire::text;

constexpr Timestamp kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}.time_since_epoch()};

std::vector<Value> recordings() {
  std::vector<Value> all;
  const char* fixtures = std::getenv("CONDUCTORAI_FIXTURES");
  if (fixtures == nullptr) return all;
  for (const char* file : {"recordings.jsonl", "composed.jsonl"}) {
    std::ifstream in(std::string(fixtures) + "/llm-recordings/" + file);
    for (std::string line; std::getline(in, line);) {
      auto parsed = core::parse_json(line);
      if (!parsed) ADD_FAILURE() << file << ": " << to_string(parsed.error());
      if (parsed) all.push_back(std::move(*parsed));
    }
  }
  return all;
}

std::unique_ptr<AnswerReader> reader_of(std::string_view api) {
  if (api == "openai-chat") return openai::read_chat();
  if (api == "openai-responses") return openai::read_responses();
  return anthropic::read_messages();
}

Result<LLMResponse> read(const Value& recording, const std::vector<std::string_view>& pieces) {
  std::string streamed;
  const int status = static_cast<int>(integer(recording, {"status"}));
  if (status != 200) {
    WireHeaders headers;
    for (const auto& [name, value] : *recording.find("response_headers")->as_object()) headers.emplace_back(name, *value.as_string());
    return fail(status_error(status, headers, text(recording, {"response_body"}), kNow));
  }
  auto reader = reader_of(text(recording, {"api"}));
  reader->on_text([&](std::string_view piece) { streamed += piece; });
  AnswerParser parser(std::move(reader));
  for (const std::string_view piece : pieces)
    if (!parser.feed(piece)) break;
  auto answer = parser.finish();
  if (answer && !streamed.empty()) EXPECT_EQ(streamed, answer->text) << "what a watcher saw";
  return answer;
}

std::vector<std::string_view> cut(std::string_view body, std::size_t size) {
  std::vector<std::string_view> pieces;
  for (; !body.empty(); body.remove_prefix(std::min(size, body.size()))) pieces.push_back(body.substr(0, size));
  return pieces;
}

/// What the official libraries take for an answer and is none (the recordings' own notes).
bool is_none_by_intent(const Value& recording) {
  const std::string_view id = text(recording, {"id"});
  return at(recording, {"expected", "no_choices"}) != nullptr || id == "composed-openai-stream-cut-before-done";
}

void expect_answer(const Value& recording, const Result<LLMResponse>& answer) {
  const Value& expected = *recording.find("expected");
  ASSERT_TRUE(answer.has_value()) << to_string(answer.error());
  EXPECT_EQ(answer->text, text(expected, {"text"}));
  // Azure's first event names no model, and the official library looks no further.
  if (const auto model = text(expected, {"model"}); !model.empty()) EXPECT_EQ(answer->model, model);
  EXPECT_EQ(answer->refusal, text(expected, {"refusal"}));
  for (const char* thoughts : {"reasoning", "thinking"})
    if (at(expected, {thoughts}) != nullptr) EXPECT_EQ(answer->reasoning, text(expected, {thoughts}));
  if (text(recording, {"api"}) == "anthropic-messages" && at(expected, {"thinking"}) != nullptr) {
    ASSERT_FALSE(answer->thinking.empty());
    for (const Value& block : answer->thinking)
      EXPECT_FALSE(text(block, {"signature"}).empty() && text(block, {"data"}).empty()) << "it could not go back";
  }
  if (at(expected, {"usage"}) != nullptr) {
    const bool apart = text(recording, {"api"}) == "anthropic-messages";  // cached tokens are counted apart there
    const std::int64_t cached = apart ? answer->cached_input_tokens + answer->cache_write_tokens : 0;
    EXPECT_EQ(answer->usage.input_tokens - cached, integer(expected, {"usage", "input_tokens"}));
    EXPECT_EQ(answer->usage.output_tokens, integer(expected, {"usage", "output_tokens"}));
  }
  const std::string_view finish = text(expected, {"finish_reason"});
  if (finish == "function_call") {  // the form before tool calls: ours are the same thing
    EXPECT_EQ(answer->tool_calls.size(), 1U);
    return;
  }
  const Array& calls = items(expected, {"tool_calls"});
  ASSERT_EQ(answer->tool_calls.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(answer->tool_calls[i].id, text(calls[i], {"id"}));
    EXPECT_EQ(answer->tool_calls[i].name, text(calls[i], {"name"}));
    const Value* arguments = calls[i].find("arguments");
    if (arguments->as_string() != nullptr)
      EXPECT_EQ(answer->tool_calls[i].arguments, wire::arguments_of(*arguments->as_string()));
    else if (finish != "max_tokens")  // cut off in the middle of its arguments: ours stay the text that came
      EXPECT_EQ(answer->tool_calls[i].arguments, *arguments);
    else
      EXPECT_NE(answer->tool_calls[i].arguments.as_string(), nullptr);
  }
  if (finish == "length" || finish == "max_tokens")
    EXPECT_EQ(answer->finish, FinishReason::length);
  else if (finish == "refusal" || !answer->refusal.empty())
    EXPECT_EQ(answer->finish, FinishReason::refusal);
  else if (!calls.empty())
    EXPECT_EQ(answer->finish, FinishReason::tool_calls);
  else if (finish == "stop" || finish == "end_turn" || text(expected, {"status"}) == "completed")
    EXPECT_EQ(answer->finish, FinishReason::stop);
}

void expect_error(const Value& recording, const Result<LLMResponse>& answer) {
  ASSERT_FALSE(answer.has_value());
  const Error& error = answer.error();
  const Value& expected = *recording.find("expected");
  const std::string_view kind = text(expected, {"class"});
  if (kind == "AuthenticationError" || kind == "PermissionDeniedError") EXPECT_EQ(error.code, ErrorCode::permission_denied);
  if (kind == "BadRequestError" || kind == "NotFoundError") EXPECT_EQ(error.code, ErrorCode::invalid_argument);
  const bool no_quota = text(expected, {"code"}) == "insufficient_quota";
  if (kind == "RateLimitError") EXPECT_EQ(error.code, no_quota ? ErrorCode::permission_denied : ErrorCode::rate_limited);
  if (kind == "InternalServerError" || kind == "OverloadedError") EXPECT_EQ(error.code, ErrorCode::unavailable);
  if (no_quota) EXPECT_EQ(error.retry, Retry::never);
  const std::int64_t attempts = integer(recording, {"sdk_retry", "attempts"});
  if (attempts > 0 && !no_quota) EXPECT_EQ(error.retry != Retry::never, attempts > 1) << to_string(error);
  if (const auto type = text(expected, {"type"}); !type.empty()) EXPECT_NE(error.message.find(type), std::string::npos) << error.message;
}

void check(const Value& recording, const std::vector<std::string_view>& pieces) {
  const auto answer = read(recording, pieces);
  if (is_none_by_intent(recording)) {
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::invalid_answer);
  } else if (text(recording, {"expected", "outcome"}) == "ok") {
    expect_answer(recording, answer);
  } else {
    expect_error(recording, answer);
  }
}

class Recordings : public ::testing::Test {
 protected:
  void SetUp() override {
    all_ = recordings();
    if (all_.empty()) GTEST_SKIP() << "CONDUCTORAI_FIXTURES is not set";
  }
  std::vector<Value> all_;
};

TEST_F(Recordings, ComeOutAsExpectedWhole) {
  EXPECT_GE(all_.size(), 100U);
  for (const Value& recording : all_) {
    SCOPED_TRACE(text(recording, {"id"}));
    check(recording, {text(recording, {"response_body"})});
  }
}

TEST_F(Recordings, ComeOutTheSameInPiecesOfAnySize) {
  for (const Value& recording : all_)
    for (const std::size_t size : {1U, 2U, 7U, 1000U}) {
      SCOPED_TRACE(std::string(text(recording, {"id"})) + " in pieces of " + std::to_string(size));
      check(recording, cut(text(recording, {"response_body"}), size));
    }
}

TEST_F(Recordings, ComeOutTheSameInRandomPieces) {
  std::mt19937_64 random(20260101);  // NOLINT(cert-msc51-cpp): a failure must come again
  for (const Value& recording : all_) {
    std::string_view body = text(recording, {"response_body"});
    std::vector<std::string_view> pieces;
    while (!body.empty()) {
      const std::size_t size = std::min<std::size_t>(body.size(), 1 + random() % 97);
      pieces.push_back(body.substr(0, size));
      body.remove_prefix(size);
    }
    SCOPED_TRACE(text(recording, {"id"}));
    check(recording, pieces);
  }
}

/// Where the closing event of a stream begins: what is cut before it is no answer.
std::size_t closing_event(std::string_view api, std::string_view body) {
  if (api == "anthropic-messages") return body.rfind("message_stop");
  if (api == "openai-responses") return std::min(body.rfind("response.completed"), body.rfind("\"response.completed\""));
  // npos is the largest number there is.
  const auto finish = std::min(body.find("\"finish_reason\":\""), body.find("\"finish_reason\": \""));
  return std::min(finish, body.rfind("[DONE]"));
}

TEST_F(Recordings, AreNoAnswersWhenTheirStreamIsCutBeforeItsClosingEvent) {
  int streams = 0;
  for (const Value& recording : all_) {
    const Value* streamed = recording.find("stream");
    if (streamed == nullptr || streamed->as_bool() == nullptr || !*streamed->as_bool()) continue;
    if (text(recording, {"expected", "outcome"}) != "ok" || is_none_by_intent(recording)) continue;
    const std::string_view body = text(recording, {"response_body"});
    if (body.size() > 20'000) continue;
    ++streams;
    SCOPED_TRACE(text(recording, {"id"}));
    const std::size_t step = body.size() < 3'000 ? 1 : 101;
    for (std::size_t end = 0; end < closing_event(text(recording, {"api"}), body); end += step) {
      const auto answer = read(recording, {body.substr(0, end)});
      ASSERT_FALSE(answer.has_value()) << "cut after " << end << " bytes";
      ASSERT_EQ(answer.error().code, ErrorCode::invalid_answer) << "cut after " << end << " bytes";
    }
  }
  EXPECT_GT(streams, 20);
}

}  // namespace
}  // namespace conductorai::integrations
