// What is sent to providers follows their own schemas, strictly.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/json.hpp"
#include "integrations/llm/anthropic/anthropic.hpp"
#include "integrations/llm/openai/openai.hpp"
#include "integrations/llm/wire/json_read.hpp"
#include "tests/support/temp_folder.hpp"

namespace conductorai::integrations {
namespace {

constexpr const char* kClosed =
    R"({"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"],"additionalProperties":false})";
constexpr const char* kOpen = R"({"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer"}},"required":["path"]})";

ChatMessage says(Role role, std::string text) {
  return {.role = role, .text = std::move(text), .tool_calls = {}, .tool_call_id = {}};
}

LLMRequest plain() {
  LLMRequest request;
  request.messages = {says(Role::system, "Be brief."), says(Role::user, "2+2? \xF0\x9F\x98\x80")};
  return request;
}

LLMRequest with_tools() {
  LLMRequest request = plain();
  request.tools = {{.name = "read_file", .description = "reads a file", .parameters_schema = kOpen},
                   {.name = "add", .description = "adds", .parameters_schema = kClosed}};
  ChatMessage calls = says(Role::assistant, "");
  calls.tool_calls = {{.id = "call_1", .name = "read_file", .arguments = Object{{"path", "a.py"}}},
                      {.id = "call_2", .name = "add", .arguments = Object{}},
                      {.id = "call_3", .name = "add", .arguments = "{not json"}};
  request.messages.push_back(calls);
  for (const char* id : {"call_1", "call_2", "call_3"}) {
    ChatMessage result = says(Role::tool, std::string("result of ") + id);
    result.tool_call_id = id;
    request.messages.push_back(result);
  }
  request.messages.push_back(says(Role::assistant, "It is a file."));
  request.messages.push_back(says(Role::user, "Go on."));
  return request;
}

const Value kSigned = Object{{"type", "thinking"}, {"thinking", "I look first."}, {"signature", "c2lnbmVk"}};
const Value kRedacted = Object{{"type", "redacted_thinking"}, {"data", "aGlkZGVu"}};
const Value kSealed = Object{{"type", "reasoning"}, {"id", "rs_1"}, {"summary", Array{}}, {"encrypted_content", "c2VhbGVk"}};
const Value kPlainThought = Object{{"reasoning_content", "I look first."}};

/// The turn that called tools came with thinking of every provider's kind, as after a fallback.
LLMRequest with_thinking() {
  LLMRequest request = with_tools();
  for (ChatMessage& message : request.messages)
    if (!message.tool_calls.empty()) message.thinking = {kSigned, kRedacted, kSealed, kPlainThought};
  return request;
}

std::vector<LLMRequest> requests() {
  std::vector<LLMRequest> all{plain(), with_tools(), with_thinking()};
  for (const char* schema : {kClosed, kOpen}) {
    all.push_back(plain());
    all.back().answer_schema = schema;
  }
  all.push_back(plain());
  all.back().messages.erase(all.back().messages.begin());  // no system message
  return all;
}

class Requests : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* fixtures = std::getenv("CONDUCTORAI_FIXTURES");
    if (fixtures == nullptr) GTEST_SKIP() << "CONDUCTORAI_FIXTURES is not set";
    if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0) GTEST_SKIP() << "python3-jsonschema is not installed";
    validator_ = std::string("python3 -B ") + fixtures + "/api-schemas/validate.py ";
  }

  void expect_valid(const std::string& schema, const Result<std::string>& body) {
    ASSERT_TRUE(body.has_value()) << to_string(body.error());
    const std::string file = (folder_.path() / "body.json").string();
    std::ofstream(file, std::ios::binary) << *body;
    std::FILE* pipe = ::popen((validator_ + schema + " < " + file + " 2>&1").c_str(), "re");
    ASSERT_NE(pipe, nullptr);
    std::string said;
    char block[4096];
    while (const std::size_t count = std::fread(block, 1, sizeof block, pipe)) said.append(block, count);
    EXPECT_EQ(::pclose(pipe), 0) << said << *body;
  }

 private:
  testing::TempFolder folder_;
  std::string validator_;
};

TEST_F(Requests, OfChatCompletionsFollowTheSchema) {
  for (const LLMRequest& request : requests())
    for (const bool own : {true, false})
      expect_valid("openai-chat.request", openai::write_chat(request, {.model = "gpt-4.1", .stream = own, .own_service = own}));
}

TEST_F(Requests, OfResponsesFollowTheSchema) {
  for (const LLMRequest& request : requests())
    for (const char* model : {"gpt-4.1", "gpt-5-mini"})
      expect_valid("openai-responses.request", openai::write_responses(request, {.model = model, .stream = true, .own_service = true}));
}

TEST_F(Requests, OfMessagesFollowTheSchema) {
  for (const LLMRequest& request : requests())
    expect_valid("anthropic-messages.request", anthropic::write_messages(request, {.model = "claude-sonnet-4-5", .stream = true}));
}

Value parsed(const Result<std::string>& body) {
  auto value = body ? core::parse_json(*body) : fail(body.error());
  EXPECT_TRUE(value.has_value());
  return value ? *value : Value();
}

TEST(RequestBodies, AlwaysNameTheLargestOutput) {
  LLMRequest request = plain();
  request.output_tokens_max = 77;
  EXPECT_EQ(wire::integer(parsed(openai::write_chat(request, {.model = "gpt-4.1"})), {"max_completion_tokens"}), 77);
  EXPECT_EQ(wire::integer(parsed(openai::write_chat(request, {.model = "m", .stream = true, .own_service = false})), {"max_tokens"}), 77);
  EXPECT_EQ(wire::integer(parsed(openai::write_responses(request, {.model = "gpt-4.1"})), {"max_output_tokens"}), 77);
  EXPECT_EQ(wire::integer(parsed(anthropic::write_messages(request, {.model = "claude"})), {"max_tokens"}), 77);
}

TEST(RequestBodies, GiveTheResultsOfParallelCallsInOneTurnOfMessages) {
  const Value body = parsed(anthropic::write_messages(with_tools(), {.model = "claude"}));
  const Array& turns = wire::items(body, {"messages"});
  ASSERT_EQ(turns.size(), 5U);  // user, assistant with calls, user with results, assistant, user
  EXPECT_EQ(wire::items(turns[2], {"content"}).size(), 3U);
  EXPECT_EQ(wire::text(body, {"system"}), "Be brief.");
}

TEST(RequestBodies, GiveThinkingBackOnlyToTheKindOfServiceItCameFrom) {
  const Value messages = parsed(anthropic::write_messages(with_thinking(), {.model = "claude"}));
  const Array& blocks = wire::items(wire::items(messages, {"messages"})[1], {"content"});
  ASSERT_EQ(blocks.size(), 5U);
  EXPECT_EQ(blocks[0], kSigned) << "it has to come first";
  EXPECT_EQ(blocks[1], kRedacted);

  const Value responses = parsed(openai::write_responses(with_thinking(), {.model = "gpt-5-mini"}));
  const Array& items = wire::items(responses, {"input"});
  EXPECT_EQ(items[1], kSealed);
  EXPECT_EQ(wire::text(items[2], {"type"}), "function_call");
  EXPECT_EQ(wire::items(responses, {"include"}), Array{"reasoning.encrypted_content"});
  EXPECT_EQ(wire::at(parsed(openai::write_responses(plain(), {.model = "gpt-4.1"})), {"include"}), nullptr);

  const Value chat = parsed(openai::write_chat(with_thinking(), {.model = "m"}));
  EXPECT_EQ(wire::text(wire::items(chat, {"messages"})[2], {"reasoning_content"}), "I look first.");
  EXPECT_EQ(wire::at(wire::items(parsed(openai::write_chat(with_tools(), {.model = "m"})), {"messages"})[2], {"reasoning_content"}),
            nullptr);
}

TEST(RequestBodies, HoldAModelToASchemaOnlyWhereServicesCan) {
  LLMRequest request = plain();
  request.answer_schema = kOpen;
  const Value loose = parsed(anthropic::write_messages(request, {.model = "claude"}));
  EXPECT_EQ(wire::at(loose, {"output_config"}), nullptr);
  EXPECT_NE(wire::text(loose, {"system"}).find(kOpen), std::string_view::npos);
  request.answer_schema = kClosed;
  EXPECT_NE(wire::at(parsed(anthropic::write_messages(request, {.model = "claude"})), {"output_config", "format"}), nullptr);
}

TEST(RequestBodies, LeaveTheTemperatureOutWhereModelsRefuseIt) {
  EXPECT_EQ(wire::at(parsed(openai::write_chat(plain(), {.model = "gpt-5-mini"})), {"temperature"}), nullptr);
  EXPECT_NE(wire::at(parsed(openai::write_chat(plain(), {.model = "gpt-4.1"})), {"temperature"}), nullptr);
}

TEST(RequestBodies, AreRefusedWithASchemaThatIsNone) {
  LLMRequest request = plain();
  request.answer_schema = "[1]";
  EXPECT_EQ(openai::write_chat(request, {.model = "m"}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(anthropic::write_messages(request, {.model = "m"}).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace conductorai::integrations
