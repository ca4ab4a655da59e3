#include "core/json.hpp"

#include <gtest/gtest.h>

#include "core/json_codec.hpp"

namespace conductorai::core {
namespace {

TEST(Json, SaysWhereTextIsBroken) {
  auto r = parse_json("{\n  \"a\": ]\n}");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().where, "2:8");
}

TEST(Json, KeepsValuesThroughTextAndBack) {
  Value v = Object{{"s", "a\n\"\x01"}, {"i", 7}, {"d", 1.5}, {"n", nullptr}, {"a", Array{1, true, "x"}}};
  auto back = parse_json(to_json(v));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, v);
}

TEST(JsonCodec, LeavesOutWhatIsEmptyAndReadsItBack) {
  TaskResult result{.id = {WorkflowId("wf-1"), TaskId("code"), 2, 1}, .agent = AgentId("coding-01")};
  result.evidence.push_back({.kind = "exit_code", .summary = "exit code 0", .value = 0, .artifact = Digest("sha256:00")});
  result.error = Error{.code = ErrorCode::timeout, .message = "late"};
  const std::string text = write_json(result);
  EXPECT_EQ(text.find("feedback"), std::string::npos);
  auto back = read_json<TaskResult>(text);
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(*back, result);
}

TEST(JsonCodec, NamesThePathOfAWrongField) {
  auto r = read_json<TaskResult>(R"({"id":{"workflow":"w","task":"t","round":"two"}})");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().where, "id.round");
}

TEST(JsonCodec, RefusesUnknownKeysOnRequest) {
  EXPECT_TRUE(read_json<Evidence>(R"({"kind":"x","zzz":1})"));
  EXPECT_FALSE(read_json<Evidence>(R"({"kind":"x","zzz":1})", Unknown::refuse));
}

TEST(Json, TimesKeepTheirMilliseconds) {
  Timestamp at{Milliseconds{1'767'225'600'123}};
  EXPECT_EQ(to_iso8601(at), "2026-01-01T00:00:00.123Z");
  EXPECT_EQ(parse_iso8601("2026-01-01T00:00:00.123Z").value(), at);
}

}  // namespace
}  // namespace conductorai::core
