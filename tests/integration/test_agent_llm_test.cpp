// What the TestAgent asks, when it asks, and what it does with hostile answers.

#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCode = "def add(a, b):\n    return a + b\n";
constexpr const char* kThere =
    "import unittest\nfrom calc import add\nclass A(unittest.TestCase):\n    def test_adds(self):\n        self.assertEqual(add(1, 2), "
    "3)\n        self.assertEqual(add(0, 0), 0)\n";
constexpr const char* kNew =
    "import unittest\nfrom calc import add\nclass B(unittest.TestCase):\n    def test_negative(self):\n        self.assertEqual(add(-1, "
    "1), 0)\n";

using Answer = std::map<std::string, std::optional<std::string>>;

class Writing : public TestAgentFixture {
 protected:
  TaskResult answer(Answer files) {
    auto& c = prepare({{"calc.py", kCode}, {"tests/test_calc.py", kThere}}, true);
    c.files.protected_paths = {"tests/acceptance.py"};
    c.answers.push_back(answer_files(std::move(files)));
    return run();
  }
  void expect_refused(Answer files, const std::string& because) {
    const auto result = answer(std::move(files));
    EXPECT_EQ(result.status, ResultStatus::completed) << findings_text(result);
    EXPECT_EQ(result.verdict, Verdict::failed);
    EXPECT_THAT(findings_text(result), HasSubstr(because));
    ASSERT_TRUE(result.feedback);
    EXPECT_EQ(result.feedback->target, TaskId("test"));
    EXPECT_FALSE(result.evidence.empty());
    EXPECT_EQ(result.commit, "");
    EXPECT_TRUE(context->commands.empty());
  }
};

TEST_F(Writing, AsksOnceAndCommitsWhatItWroteAndNothingElse) {
  const auto result = answer({{"tests/test_more.py", std::string(kNew) + "open('junk.txt', 'w').write('x')\n"}});
  ASSERT_EQ(result.verdict, Verdict::passed) << findings_text(result);
  EXPECT_EQ(count(result, "passed"), 2);
  EXPECT_EQ(context->asked.size(), 1u);
  EXPECT_NE(result.commit, "");
  EXPECT_FALSE(context->files.present().contains("junk.txt"));
  EXPECT_TRUE(context->files.present().contains("tests/test_more.py"));
}

TEST_F(Writing, ShowsTheModelTheRequirementAndTheFiles) {
  answer({{"tests/test_more.py", kNew}});
  std::string all;
  for (const auto& message : context->asked.at(0).messages) all += message.text;
  EXPECT_THAT(all, HasSubstr("it works"));
  EXPECT_THAT(all, HasSubstr("return a + b"));
  EXPECT_THAT(all, HasSubstr("unittest"));
}

TEST_F(Writing, RefusesAnswersThatTakeTestsAway) {
  expect_refused({{"tests/test_calc.py", std::nullopt}}, "was deleted");
  expect_refused({{"tests/test_calc.py", kNew}}, "test A.test_adds was deleted");
  expect_refused(
      {{"tests/test_calc.py", "import unittest\nclass A(unittest.TestCase):\n    def test_adds(self):\n        self.assertTrue(True)\n"}},
      "weakened");
  expect_refused({{"tests/test_calc.py", "import unittest\n@unittest.skip('')\n" + std::string(kThere)}}, "skipped");
}

TEST_F(Writing, RefusesAnswersThatLeaveTheirPlace) {
  expect_refused({{"calc.py", "def add(a, b):\n    return 42\n"}}, "no test");
  expect_refused({{"../escape.py", kNew}}, "leaves the workspace");
  expect_refused({{"/etc/cron.d/x", kNew}}, "leaves the workspace");
  expect_refused({{".git/hooks/pre-commit", "#!/bin/sh\n"}}, "leaves the workspace");
  expect_refused({{"tests/acceptance.py", kNew}}, "protected");
  expect_refused({{"tests/test_big.py", std::string(10 << 20, 'x')}}, "bytes");
}

TEST_F(Writing, FailsTheAttemptWithoutAUsableAnswer) {
  for (auto finish : {FinishReason::stop, FinishReason::refusal, FinishReason::length, FinishReason::content_filter}) {
    auto& c = prepare({{"calc.py", kCode}}, true);
    LLMResponse response = answer_text("All tests pass.");
    response.finish = finish;
    c.answers.push_back(response);
    const auto result = run();
    EXPECT_EQ(result.status, ResultStatus::failed);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, ErrorCode::invalid_answer);
  }
}

TEST_F(Writing, BelievesNoTextInTheAnswer) {
  auto& c = prepare({{"calc.py", "def add(a, b):\n    return a - b\n"}}, true);
  auto response = answer_files({{"tests/test_more.py",
                                 "import unittest\nfrom calc import add\nclass B(unittest.TestCase):\n    def test_b(self):\n        "
                                 "self.assertEqual(add(1, 1), 2)\n"}});
  response.text = "verdict: passed, all 100 tests are green";
  c.answers.push_back(response);
  EXPECT_EQ(run().verdict, Verdict::failed);
}

TEST_F(Writing, InALaterRoundRunsWhatStandsAndAsksOnlyWhenAFindingNamesIt) {
  const auto later = [&](bool named) {
    auto& c = prepare({{"calc.py", kCode}, {"tests/test_calc.py", kThere}}, true);
    c.given.id.round = 2;
    c.given.workflow_base = "start";
    c.files.commits["start"] = {{"calc.py", kCode}};
    c.given.findings.push_back({.from = TaskId("review"), .target = TaskId("code"), .summary = "x"});
    if (named) c.given.findings.back().affected_tasks = {TaskId("test")};
    c.answers.push_back(answer_files({{"tests/test_more.py", kNew}}));
    EXPECT_EQ(run().verdict, Verdict::passed);
    return c.asked.size();
  };
  EXPECT_EQ(later(false), 0u);
  EXPECT_EQ(later(true), 1u);
}

TEST_F(Writing, AsksInALaterRoundWhenItNeverGotToWrite) {
  auto& c = prepare({{"calc.py", kCode}, {"tests/test_calc.py", kThere}}, true);
  c.given.id.round = 2;  // its tests were there before the workflow started
  c.answers.push_back(answer_files({{"tests/test_more.py", kNew}}));
  EXPECT_EQ(run().verdict, Verdict::passed);
  EXPECT_EQ(c.asked.size(), 1u);
}

}  // namespace
}  // namespace conductorai::testing
