#include "core/codec.hpp"

#include <gtest/gtest.h>

#include "core/json_codec.hpp"
#include "core/upcast.hpp"

namespace conductorai::core {
namespace {

std::string row_of(std::string_view events) {
  return R"({"workflow":"wf-1","first_seq":1,"at":"2026-01-01T00:00:00.000Z","epoch":1,"events":)" + std::string(events) + "}";
}

TEST(Codec, ReadsBackWhatItWrote) {
  const RowHeader header{
      .workflow = WorkflowId("wf-\"1"), .first_seq = 3, .at = Timestamp(Milliseconds(5)), .epoch = 2, .prev_sha256 = "aa"};
  const std::vector<Event> events{WorkflowPaused{PauseKind::claims, "\x01 \n ü"}, TaskSkipped{TaskId("a"), 2, "r"}};
  auto row = decode_row(encode_row(header, events));
  ASSERT_TRUE(row) << to_string(row.error());
  EXPECT_EQ(row->header.workflow, header.workflow);
  EXPECT_EQ(row->header.prev_sha256, "aa");
  EXPECT_EQ(row->events, events);
}

TEST(Codec, IgnoresFieldsItDoesNotKnow) {
  auto row = decode_row(row_of(R"([{"event":"workflow.cancelled","v":1,"data":{"reason":"r","later":1},"x":2}])"));
  ASSERT_TRUE(row);
  EXPECT_EQ(std::get<WorkflowCancelled>(row->events[0]).reason, "r");
}

TEST(Codec, NamesAnUnknownEventAndANewerVersion) {
  auto unknown = decode_row(row_of(R"([{"event":"workflow.moved","v":1,"data":{}}])"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::unsupported);
  EXPECT_EQ(unknown.error().message, "the journal holds an unknown event: workflow.moved version 1");
  auto newer = decode_row(row_of(R"([{"event":"task.failed","v":9,"data":{}}])"));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::unsupported);
  EXPECT_EQ(newer.error().message, "the journal holds an event of a newer conductorai: task.failed version 9");
}

TEST(Codec, SaysWhatIsDamagedAndWhere) {
  const std::string good = row_of(R"([{"event":"workflow.cancelled","v":1,"data":{}}])");
  EXPECT_TRUE(decode_row(good));
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    auto row = decode_row(good.substr(0, cut));
    ASSERT_FALSE(row);
    EXPECT_EQ(row.error().code, ErrorCode::data_corrupted);
  }
  for (const char* events : {"[]", "{}", "[1]", R"([{"event":1,"v":1,"data":{}}])", R"([{"event":"task.failed","v":0,"data":{}}])",
                             R"([{"event":"task.failed","v":1}])", R"([{"event":"task.failed","v":1,"data":{"id":{"round":"x"}}}])"}) {
    auto row = decode_row(row_of(events));
    ASSERT_FALSE(row) << events;
    EXPECT_EQ(row.error().code, ErrorCode::data_corrupted) << events;
  }
  auto row = decode_row(row_of(R"([{"event":"task.failed","v":1,"data":{"id":{"round":"x"}}}])"));
  EXPECT_EQ(row.error().where, "events.0.id.round");
  EXPECT_EQ(decode_row(R"({"workflow":"w","first_seq":0,"epoch":1,"events":[]})").error().code, ErrorCode::data_corrupted);
}

TEST(Codec, OlderVersionsAreLiftedStepByStep) {
  constexpr Upcaster steps[]{{"task.failed", 1, [](boost::json::object& payload) { payload["b"] = payload["a"]; }},
                             {"task.failed", 2, [](boost::json::object& payload) { payload.erase("a"); }}};
  boost::json::object payload{{"a", 1}};
  ASSERT_TRUE(upcast(steps, "task.failed", 1, 3, payload));
  EXPECT_EQ(payload, (boost::json::object{{"b", 1}}));
  EXPECT_TRUE(upcast(steps, "task.failed", 3, 3, payload));
  EXPECT_EQ(upcast(steps, "task.skipped", 1, 2, payload).error().code, ErrorCode::unsupported);
  EXPECT_EQ(upcast(steps, "task.failed", 4, 3, payload).error().code, ErrorCode::unsupported);
}

TEST(Codec, RefusesCommandsItDoesNotKnow) {
  EXPECT_EQ(decode_command("x").error().code, ErrorCode::data_corrupted);
  EXPECT_EQ(decode_command(R"({"command":"fork","v":1,"data":{}})").error().code, ErrorCode::unsupported);
  EXPECT_EQ(decode_command(R"({"command":"pause","v":2,"data":{}})").error().code, ErrorCode::unsupported);
  EXPECT_EQ(decode_command(R"({"command":"pause","v":1,"data":{"kind":"no"}})").error().code, ErrorCode::data_corrupted);
}

TEST(Codec, KeepsDefinitionsAndResults) {
  WorkflowDefinition definition;
  definition.name = "n";
  definition.inputs = {{"a", Array{1, "x"}}};
  definition.timeout = Milliseconds(7);
  TaskDefinition made{
      .id = TaskId("t"), .agent = AgentType("test"), .phase = Phase::devops, .needs = {TaskId("s")}, .condition = "always()"};
  made.foreach = Value(Array{1, 2});
  made.outputs = {{"o", "${{ 1 }}"}};
  definition.tasks.push_back(made);
  definition.gates["devops"] = {.min_success_rate = 0.25, .approval = true};
  auto back = decode_definition(encode_definition(definition));
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(*back, definition);
  EXPECT_EQ(decode_definition("[]").error().code, ErrorCode::data_corrupted);
  TaskResult result{.id = {WorkflowId("w"), TaskId("t"), 2, 1}, .status = ResultStatus::suspended, .error = Error{.message = "m"}};
  EXPECT_EQ(decode_task_result(encode_task_result(result)).value(), result);
}

TEST(Codec, HashesBytes) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace conductorai::core
