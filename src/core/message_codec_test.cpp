#include "core/message_codec.hpp"

#include <gtest/gtest.h>

namespace conductorai::core {
namespace {

const AttemptId kAttempt{WorkflowId("wf-1"), TaskId("items[0]"), 2, 3};

TaskAssignment assignment() {
  auto workflow = std::make_shared<WorkflowDefinition>();
  workflow->name = "shortener";
  workflow->tasks.push_back({.id = TaskId("items"), .agent = AgentType("coding"), .with = {{"deep", Object{{"n", 1}}}}});
  return {.id = kAttempt,
          .epoch = 7,
          .phase = Phase::devops,
          .task = TaskDefinition{.id = TaskId("items[0]"), .agent = AgentType("coding"), .timeout = Milliseconds(250)},
          .workflow = workflow,
          .foreach_item = Value(Array{1, "two"}),
          .findings = {{.from = TaskId("test"), .summary = "2 of 7 failed"}},
          .upstream = {{TaskId("code"), Object{{"port", 80}}}},
          .base = "abc",
          .workflow_base = "def",
          .limits = {.workflow = {.calls = 9}, .day = {.tokens = 70}}};
}

AgentMessage round_trip(const AgentMessage& message) {
  auto back = decode_message(encode_message(message));
  EXPECT_TRUE(back) << to_string(back.error());
  return back.value_or(AgentMessage{});
}

TEST(MessageCodec, KeepsTheEnvelope) {
  AgentMessage message{.channel = "a:b",
                       .from = "me",
                       .correlation = "r-1",
                       .reply_to = "a:c",
                       .priority = -3,
                       .ttl = Milliseconds(9),
                       .must_deliver = true};
  auto back = round_trip(message);
  EXPECT_EQ(
      std::tie(back.channel, back.from, back.correlation, back.reply_to, back.priority, back.ttl, back.must_deliver),
      std::tie(message.channel, message.from, message.correlation, message.reply_to, message.priority, message.ttl, message.must_deliver));
  EXPECT_EQ(back.body.index(), 0U);
}

TEST(MessageCodec, KeepsEveryAlternativeOfTheBody) {
  const std::vector<MessageBody> bodies{MessageBody{},
                                        assignment(),
                                        Shared<TaskResult>(TaskResult{.id = kAttempt, .agent = AgentId("coding-01"), .summary = "done"}),
                                        CancelAttempt{kAttempt, "because"},
                                        Progress{kAttempt, AgentId("coding-01"), "half \"way\"\n"},
                                        Heartbeat{AgentId("coding-01"), 2},
                                        FeedbackPayload{.from = TaskId("test"), .summary = "no"},
                                        Value(Object{{"k", nullptr}})};
  ASSERT_EQ(bodies.size(), std::variant_size_v<MessageBody>);
  for (const auto& body : bodies) {
    AgentMessage message{.channel = "c", .body = body};
    auto back = round_trip(message);
    EXPECT_EQ(back.body.index(), body.index());
    EXPECT_EQ(encode_message(back), encode_message(message));  // the text holds every field, so equal text is equal content
  }
}

TEST(MessageCodec, ALetterHoldsTheTaskAsItWasWrittenNotWhatExpressionsGave) {
  TaskAssignment evaluated = assignment();
  evaluated.task = TaskDefinition{.id = TaskId("items[0]"), .with = {{"env", Object{{"TOKEN", "correct-horse-battery"}}}}};
  const std::string letter = encode_letter({.channel = "c", .body = evaluated});
  EXPECT_EQ(letter.find("correct-horse"), std::string::npos) << letter;
  const TaskAssignment back = std::get<Shared<TaskAssignment>>(decode_message(letter)->body);
  EXPECT_EQ(back.id, kAttempt);
  EXPECT_EQ(*back.task, assignment().workflow->tasks.front());
  evaluated.workflow = std::make_shared<WorkflowDefinition>();  // a task that nobody wrote
  EXPECT_EQ(encode_letter({.channel = "c", .body = evaluated}).find("correct-horse"), std::string::npos);
  EXPECT_EQ(encode_letter({.channel = "c", .body = Value("x")}), encode_message({.channel = "c", .body = Value("x")}));
}

TEST(MessageCodec, KeepsTheWholeAssignment) {
  const TaskAssignment back = std::get<Shared<TaskAssignment>>(round_trip({.channel = "c", .body = assignment()}).body);
  EXPECT_EQ(back.id, kAttempt);
  EXPECT_EQ(*back.workflow, *assignment().workflow);
  EXPECT_EQ(back.task, assignment().task);
  EXPECT_EQ(back.foreach_item, assignment().foreach_item);
  EXPECT_EQ(back.upstream, assignment().upstream);
  EXPECT_EQ(back.limits, assignment().limits);
}

TEST(MessageCodec, ReadsTheLimitsOfAnAssignmentOfVersionOne) {
  const auto back = decode_message(
      R"({"v":1,"type":"task_assignment","channel":"c","body":{"id":{"workflow":"wf-1","task":"a","round":1,"attempt":1},"scopes":[)"
      R"({"key":"workflow/wf-1","calls":9},{"key":"task/wf-1/a"},{"key":"agent/wf-1/coding"},{"key":"project/2026-01-01","tokens":70}]}})");
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(std::get<Shared<TaskAssignment>>(back->body)->limits, assignment().limits);
}

TEST(MessageCodec, TellsANullItemFromNone) {
  TaskAssignment none;
  TaskAssignment null;
  null.foreach_item = Value();
  EXPECT_FALSE(std::get<Shared<TaskAssignment>>(round_trip({.channel = "c", .body = none}).body)->foreach_item.has_value());
  EXPECT_TRUE(std::get<Shared<TaskAssignment>>(round_trip({.channel = "c", .body = null}).body)->foreach_item.has_value());
}

TEST(MessageCodec, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(decode_message("{").error().code, ErrorCode::data_corrupted);
  EXPECT_EQ(decode_message("[]").error().code, ErrorCode::data_corrupted);
  EXPECT_EQ(decode_message(R"({"v":1,"type":"heartbeat","body":[]})").error().code, ErrorCode::data_corrupted);
  EXPECT_EQ(decode_message(R"({"v":1,"type":"heartbeat"})").error().code, ErrorCode::data_corrupted);
  EXPECT_EQ(decode_message(R"({"v":1,"type":"gossip","body":{}})").error().code, ErrorCode::unsupported);
  EXPECT_EQ(decode_message(R"({"v":3,"type":"none"})").error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace conductorai::core
