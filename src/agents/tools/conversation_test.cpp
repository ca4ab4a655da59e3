#include "agents/tools/conversation.hpp"

#include <gmock/gmock.h>

namespace conductorai::agents {
namespace {

LLMResponse turn(std::string id, Object arguments) {
  LLMResponse answer;
  answer.tool_calls = {{.id = std::move(id), .name = "read_file", .arguments = std::move(arguments)}};
  return answer;
}

Conversation with_turns(std::size_t bytes_max, int turns, std::size_t result_bytes) {
  Conversation conversation("system", "user", bytes_max);
  for (int i = 0; i < turns; ++i) {
    const std::string id = std::to_string(i);
    conversation.add_turn(turn(id, {{"path", "a.py"}}));
    conversation.add_result(id, std::string(result_bytes, 'x'));
  }
  return conversation;
}

TEST(Conversation, StaysAsItIsWhileItFits) {
  Conversation conversation = with_turns(100'000, 3, 1'000);
  const auto before = conversation.messages();
  EXPECT_TRUE(conversation.fit());
  EXPECT_EQ(conversation.messages(), before);
}

TEST(Conversation, LeavesOutOldResultsFirstAndNeverThoseOfTheLastTurn) {
  Conversation conversation = with_turns(12'000, 10, 2'000);
  ASSERT_TRUE(conversation.fit());
  EXPECT_LE(conversation.bytes(), 12'000u);
  const auto& messages = conversation.messages();
  ASSERT_EQ(messages.size(), 22u) << "every call keeps its result";
  EXPECT_THAT(messages[3].text, ::testing::HasSubstr("2000 bytes of an earlier turn are left out"));
  EXPECT_EQ(messages[3].tool_call_id, "0");
  EXPECT_EQ(messages.back().text, std::string(2'000, 'x'));
  EXPECT_EQ(messages[1].text, "user");
}

TEST(Conversation, KeepsTheThinkingOfTheLastTurnAndLeavesOutThatOfOthersFirst) {
  Conversation conversation("system", "user", 12'000);
  for (int i = 0; i < 4; ++i) {
    LLMResponse answer = turn(std::to_string(i), {{"path", "a.py"}});
    answer.thinking = {Object{{"type", "thinking"}, {"thinking", std::string(3'000, 't')}, {"signature", "s"}}};
    conversation.add_turn(answer);
    conversation.add_result(std::to_string(i), std::string(400, 'x'));
  }
  ASSERT_TRUE(conversation.fit());
  const auto& messages = conversation.messages();
  EXPECT_TRUE(messages[2].thinking.empty());
  EXPECT_EQ(messages[3].text, std::string(400, 'x'));
  EXPECT_EQ(messages[8].thinking.size(), 1U);
}

TEST(Conversation, LeavesOutSomeAtATimeSoThatTheRestStaysAsItWasForAWhile) {
  Conversation conversation = with_turns(12'000, 6, 2'000);
  ASSERT_TRUE(conversation.fit());
  const auto before = conversation.messages();
  conversation.add_turn(turn("next", {}));
  conversation.add_result("next", std::string(1'000, 'y'));
  ASSERT_TRUE(conversation.fit());
  EXPECT_TRUE(std::equal(before.begin(), before.end(), conversation.messages().begin()));
}

TEST(Conversation, LeavesOutLongArgumentsWhenResultsAreNotEnough) {
  Conversation conversation("system", "user", 6'000);
  for (int i = 0; i < 4; ++i) {
    const std::string id = std::to_string(i);
    conversation.add_turn(turn(id, {{"path", "a.py"}, {"content", std::string(2'000, 'x')}}));
    conversation.add_result(id, "written\n");
  }
  ASSERT_TRUE(conversation.fit());
  const Value& arguments = conversation.messages()[2].tool_calls[0].arguments;
  EXPECT_EQ(*arguments.find("path")->as_string(), "a.py");
  EXPECT_THAT(*arguments.find("content")->as_string(), ::testing::HasSubstr("left out"));
}

TEST(Conversation, SaysThatItIsTooLong) {
  Conversation conversation("system", std::string(10'000, 'x'), 5'000);
  EXPECT_FALSE(conversation.fit());
}

TEST(RepeatGuard, CountsTheSameCallWithTheSameResult) {
  RepeatGuard guard;
  const ToolCall call{.id = "1", .name = "read_file", .arguments = Object{{"path", "a.py"}}};
  EXPECT_EQ(guard.note(call, "x"), 1);
  EXPECT_EQ(guard.note(call, "x"), 2);
  EXPECT_EQ(guard.note(call, "other"), 1);
  EXPECT_EQ(guard.note(call, "x"), 2) << "something new came in between";
  EXPECT_EQ(guard.note(call, "x"), 3);
}

TEST(RepeatGuard, SeesACircleOfTwo) {
  RepeatGuard guard;
  const ToolCall a{.id = "1", .name = "read_file", .arguments = Object{{"path", "a.py"}}};
  const ToolCall b{.id = "2", .name = "read_file", .arguments = Object{{"path", "b.py"}}};
  int most = 0;
  for (int i = 0; i < 3; ++i) most = std::max({most, guard.note(a, "x"), guard.note(b, "x")});
  EXPECT_EQ(most, 3);
}

}  // namespace
}  // namespace conductorai::agents
