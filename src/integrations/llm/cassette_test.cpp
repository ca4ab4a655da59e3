#include "integrations/llm/cassette.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/support/llm_fixture.hpp"
#include "tests/support/temp_folder.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;

struct Cassette : ::testing::Test {
  runtime::SimLoop loop;
  TempFolder folder;
  std::filesystem::path file = folder.path() / "c.jsonl";
  std::shared_ptr<CannedLLM> model = std::make_shared<CannedLLM>();
  std::shared_ptr<BaseLLMProvider> recorder = std::make_shared<RecordingProvider>(model, file, std::vector<std::string>{"sk-secret-key"});

  void SetUp() override { ASSERT_TRUE(start_cassette(file)); }
  Result<LLMResponse> record(LLMRequest request, Result<LLMResponse> answer) {
    model->answers.push_back(std::move(answer));
    return runtime::run_to_end(loop, recorder->chat(std::move(request)));
  }
  [[nodiscard]] std::string text() const {
    std::ostringstream all;
    all << std::ifstream(file, std::ios::binary).rdbuf();
    return all.str();
  }
  std::unique_ptr<BaseLLMProvider> player() {
    auto entries = parse_cassette(text(), "c.jsonl");
    EXPECT_TRUE(entries) << to_string(entries.error());
    return std::make_unique<ReplayProvider>(entries.value_or(std::vector<CassetteEntry>{}), "c.jsonl");
  }
  std::string said(BaseLLMProvider& provider, LLMRequest request) {
    auto answer = runtime::run_to_end(loop, provider.chat(std::move(request)));
    return answer ? answer->text : std::string(to_string(answer.error().code)) + ": " + answer.error().message;
  }
};

TEST_F(Cassette, GivesBackWhatWasRecordedWhole) {
  LLMResponse answer = text_answer("some text");
  answer.tool_calls = {{.id = "1", .name = "read_file", .arguments = Object{{"path", "a"}}}};
  answer.finish = FinishReason::tool_calls;
  answer.reasoning = "because";
  ASSERT_TRUE(record(request_of("coding", "hi"), answer));
  auto replayed = runtime::run_to_end(loop, player()->chat(request_of("coding", "hi")));
  ASSERT_TRUE(replayed);
  EXPECT_EQ(*replayed, answer);
}

TEST_F(Cassette, AMissIsAnErrorThatSaysWhereTheRequestsPart) {
  ASSERT_TRUE(record(request_of("coding", "write a parser for dates"), text_answer("ok")));
  auto provider = player();
  EXPECT_EQ(said(*provider, request_of("coding", "write a parser for times")),
            "invalid_argument: the cassette holds no answer for agent coding, task code, round 1, attempt 1, step 1; its request differs "
            "from the recorded one at 'times', recorded was 'dates'");
  EXPECT_EQ(said(*provider, request_of("coding", "other", "7")),
            "invalid_argument: the cassette holds no answer for agent coding, task code, round 1, attempt 1, step 7");
}

TEST_F(Cassette, NumbersTimesAndIdsDoNotCountForTheMatch) {
  ASSERT_TRUE(record(request_of("coding", "3 tests in 0.012s, port 41873, wf-01JABC at 10:11:12"), text_answer("ok")));
  EXPECT_EQ(said(*player(), request_of("coding", "5 tests in 1s, port 7, wf-99XY at 9:01")), "ok");
}

TEST_F(Cassette, WhatWasMeasuredDoesNotCountForTheMatch) {
  ASSERT_TRUE(record(request_of("coding", "mend it\n<findings>\nGET /a: slow\n</findings>\nnow"), text_answer("ok")));
  EXPECT_EQ(said(*player(), request_of("coding", "mend it\n\n<findings from=\"x\">\nGET /a: slow\nGET /b: down\n</findings>\nnow")), "ok");
  EXPECT_EQ(said(*player(), request_of("coding", "mend it\n<findingsx>\n</findings>\nnow")).substr(0, 16), "invalid_argument");
}

TEST_F(Cassette, TriesOfAStepComeInTheirOrderErrorsToo) {
  (void)record(request_of("coding", "hi"), std::unexpected(transient(ErrorCode::rate_limited)));
  ASSERT_TRUE(record(request_of("coding", "hi"), text_answer("second try")));
  auto provider = player();
  EXPECT_EQ(said(*provider, request_of("coding", "hi")), "rate_limited: for now");
  EXPECT_EQ(said(*provider, request_of("coding", "hi")), "second try");
}

TEST_F(Cassette, ACallThatWasNotLetInIsNotRecorded) {
  Error refused{.code = ErrorCode::permission_denied, .message = "the key was revoked"};
  EXPECT_FALSE(record(request_of("coding", "hi"), std::unexpected(refused)));
  ASSERT_TRUE(record(request_of("coding", "hi"), text_answer("with another key")));
  EXPECT_EQ(said(*player(), request_of("coding", "hi")), "with another key");
}

TEST_F(Cassette, TheSameRequestOfAnotherStepIsAnsweredByTheExchangesThatAreLeft) {
  ASSERT_TRUE(record(request_of("coding", "hi", "1"), text_answer("one")));
  ASSERT_TRUE(record(request_of("coding", "hi", "2"), text_answer("two")));
  auto provider = player();
  EXPECT_EQ(said(*provider, request_of("coding", "hi", "2")), "two");
  EXPECT_EQ(said(*provider, request_of("coding", "hi", "9")), "one");
  EXPECT_EQ(said(*provider, request_of("coding", "hi", "10")), "two");
}

TEST_F(Cassette, HoldsNoKey) {
  ASSERT_TRUE(record(request_of("coding", "the key is sk-secret-key"), text_answer("sk-secret-key, you said")));
  EXPECT_EQ(text().find("sk-secret-key"), std::string::npos);
  EXPECT_EQ(said(*player(), request_of("coding", "the key is sk-secret-key")), "***, you said");
}

TEST_F(Cassette, AFullDiskLosesNoAnswerAndStopsTheNextCallBeforeItIsSent) {
  recorder = std::make_shared<RecordingProvider>(model, "/dev/full", std::vector<std::string>{});
  auto paid = record(request_of("coding", "hi", "1"), text_answer("paid"));
  ASSERT_TRUE(paid);
  EXPECT_EQ(paid->text, "paid");
  auto refused = record(request_of("coding", "hi", "2"), text_answer("never"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(model->asked.size(), 1u);
}

TEST_F(Cassette, AnotherFileIsNotRecordedOverAndNoCassetteIsRefused) {
  std::ofstream(folder.path() / "notes.txt") << "my notes\n";
  auto refused = start_cassette(folder.path() / "notes.txt");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::already_exists);
  EXPECT_FALSE(start_cassette("/dev/full"));  // without being read: it has no end
  EXPECT_TRUE(start_cassette(folder.path() / "new.jsonl"));
  EXPECT_TRUE(start_cassette(folder.path() / "new.jsonl"));
  EXPECT_FALSE(parse_cassette("my notes\n", "notes.txt"));
  EXPECT_FALSE(parse_cassette("", "empty"));
}

TEST_F(Cassette, ALineThatWasCutOffIsNamed) {
  ASSERT_TRUE(record(request_of("coding", "hi"), text_answer("ok")));
  auto entries = parse_cassette(text().substr(0, text().size() - 20), "c.jsonl");
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().where, "c.jsonl:2");
}

}  // namespace
}  // namespace conductorai::integrations
