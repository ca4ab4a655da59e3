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
  at += std::chrono::days(58) + std::chrono::hours(23) + std::chrono::minutes(59) + std::chrono::seconds(58) + Milliseconds(876);
  EXPECT_EQ(to_iso8601(at), "2026-02-28T23:59:58.999Z");
  EXPECT_EQ(parse_iso8601("2026-02-28T23:59:58.999Z").value(), at);
}

TEST(Json, WhatIsNoTimeIsRefused) {
  for (const char* text : {"", "2026-01-01", "2026-01-01T00:00:00Z", "2026-02-29T00:00:00.000Z", "2026-1-01T00:00:00.0000Z",
                           "2026-01-01T00:00:00.123Z ", "2026-01-01 00:00:00.123Z", "2o26-01-01T00:00:00.123Z"})
    EXPECT_FALSE(parse_iso8601(text)) << text;
}

TEST(Json, EscapesWhereverInABlockOfBytesItStands) {
  for (std::size_t length = 1; length < 70; ++length)
    for (std::size_t at = 0; at < length; ++at)
      for (const auto& [c, escaped] :
           {std::pair('"', "\\\""), std::pair('\\', "\\\\"), std::pair('\n', "\\n"), std::pair('\x1f', "\\u001f")}) {
        std::string text(length, '\x7f');
        text[at] = c;
        std::string out;
        append_json_string(out, text);
        EXPECT_EQ(out, '"' + std::string(at, '\x7f') + escaped + std::string(length - 1 - at, '\x7f') + '"');
      }
}

}  // namespace
}  // namespace conductorai::core
