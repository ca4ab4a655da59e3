#include "integrations/llm/mock/script.hpp"

#include <gtest/gtest.h>

namespace conductorai::integrations {
namespace {

TEST(Script, ReadsEveryFormOfReply) {
  auto script = parse_script(R"(
- match: { agent: coding, task: code, round: 1, attempt: 2, call: 3, prompt: "two.*words", model: m }
  reply: { text: first, files: { "a.py": "x = 1\n", "old.py": null } }
  delay_ms: 100
- reply: { json: { findings: [ { severity: error, line: 3 } ] } }
  times: any
- reply: { tool_calls: [ { name: read_file, arguments: { path: a.py } } ] }
  times: 3
- reply: { error: { status: 429, retry_after_s: 1.5 } }
- reply: { error: timeout }
- reply: { error: { refusal: true } }
)",
                             "answers.yaml");
  ASSERT_TRUE(script) << to_string(script.error());
  ASSERT_EQ(script->size(), 6u);
  EXPECT_EQ((*script)[0].match.call, 3);
  EXPECT_EQ((*script)[0].reply.files.at("old.py"), std::nullopt);
  EXPECT_EQ((*script)[0].delay, Milliseconds(100));
  EXPECT_EQ((*script)[1].times, std::nullopt);
  EXPECT_EQ((*script)[2].times, 3);
  EXPECT_EQ((*script)[3].reply.error->retry_after, Milliseconds(1500));
  EXPECT_EQ((*script)[4].reply.error->kind, ScriptedFailure::timeout);
  EXPECT_EQ((*script)[5].reply.error->kind, ScriptedFailure::refusal);
}

void expect_error(std::string_view text, std::string_view where, std::string_view words) {
  auto script = parse_script(text, "a.yaml");
  ASSERT_FALSE(script) << text;
  EXPECT_EQ(script.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(script.error().where, where);
  EXPECT_NE((script.error().message + " " + script.error().hint).find(words), std::string::npos)
      << script.error().message << " | " << script.error().hint;
}

TEST(Script, SaysWhereItIsWrongAndWhatWasMeant) {
  expect_error("- match: { agnet: coding }\n  reply: { text: x }\n", "a.yaml:1:12", "agent");
  expect_error("- reply: { txt: x }\n", "a.yaml:1:12", "text");
  expect_error("- match: { round: zero }\n  reply: { text: x }\n", "a.yaml:1:19", "");
  expect_error("- match: { agent: coding }\n", "a.yaml:1:3", "reply");
  expect_error("- reply: { text: x }\n  times: never\n", "a.yaml:2:10", "any");
  expect_error("- match: { prompt: \"(\" }\n  reply: { text: x }\n", "a.yaml:1:20", "regular expression");
  expect_error("- reply: { error: { timeout: true, malformed: true } }\n", "a.yaml:1:19", "exactly one");
  expect_error("- reply: { json: {}, error: timeout }\n", "a.yaml:1:10", "at most one");
  expect_error("- reply: {}\n", "a.yaml:1:10", "empty");
  expect_error("rules: []\n", "a.yaml:1:1", "list of rules");
}

TEST(Script, ReportsFurtherProblemsAsTheCause) {
  auto script = parse_script("- reply: { txt: x }\n- reply: { jsn: x }\n", "a.yaml");
  ASSERT_FALSE(script);
  ASSERT_NE(script.error().cause, nullptr);
  EXPECT_EQ(script.error().cause->where, "a.yaml:2:12");
}

TEST(Script, RefusesWhatDoesNotParse) {
  EXPECT_FALSE(parse_script("- match: {", "a.yaml"));
  EXPECT_FALSE(parse_script("", "a.yaml"));
  EXPECT_FALSE(parse_script("[{\"reply\":}]", "a.json"));
  EXPECT_TRUE(parse_script(R"([{"reply":{"text":"hi"}}])", "a.json"));
}

}  // namespace
}  // namespace conductorai::integrations
