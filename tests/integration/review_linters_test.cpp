// The review agent with the linters of this machine: what they find counts, whatever the model says.

#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

using ::testing::Contains;
using ::testing::Field;

struct Linted : ::testing::Test {
  runtime::Loop loop;

  /// A review of `after` against `before`, by a model that finds nothing.
  TaskResult review(const FileMap& before, FileMap after) {
    FakeTaskContext context(loop, "review", "review", std::move(after));
    context.files.commits["start"] = before;
    context.given.workflow_base = "start";
    context.answers.emplace_back(answer_text(R"({"findings":[],"verdict":"passed"})"));
    auto agent = agents::make_review_agent(AgentId("review-01"), 1);
    return runtime::run_to_end(loop, agent->execute_task(context));
  }
};

TEST_F(Linted, ShellcheckFindsWhatTheModelDoesNot) {
  SKIP_WITHOUT("shellcheck");
  const FileMap before{{"deploy.sh", "#!/bin/sh\nread -r name\n"}};
  const auto result = review(before, {{"deploy.sh", "#!/bin/sh\nread -r name\n[ -n \"$name\"] && echo \"$name\"\n"}});
  ASSERT_EQ(result.verdict, Verdict::failed) << findings_text(result);
  ASSERT_TRUE(result.feedback);
  EXPECT_THAT(result.feedback->findings, Contains(Field(&Finding::source, "linter:shellcheck")));
  EXPECT_THAT(findings_text(result), ::testing::HasSubstr("deploy.sh:3: "));
  EXPECT_EQ(review(before, {{"deploy.sh", "#!/bin/sh\nread -r name\necho \"$name\"\n"}}).verdict, Verdict::passed);
}

TEST_F(Linted, APythonLinterFindsAnUndefinedName) {
  if (!has_program("ruff") && !has_program("flake8") && !has_program("pyflakes3")) GTEST_SKIP() << "no linter of Python is installed";
  const FileMap before{{"app.py", "def one():\n    return 1\n"}};
  const auto result = review(before, {{"app.py", "def one():\n    return nope\n"}});
  ASSERT_EQ(result.verdict, Verdict::failed) << findings_text(result);
  EXPECT_THAT(findings_text(result), ::testing::HasSubstr("app.py:2: "));
  EXPECT_THAT(findings_text(result), ::testing::HasSubstr("nope"));
  EXPECT_EQ(review(before, {{"app.py", "def one():\n    return 2\n"}}).verdict, Verdict::passed);
}

}  // namespace
}  // namespace conductorai::testing
