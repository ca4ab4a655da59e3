#include "evidence/verdict.hpp"

#include <gmock/gmock.h>

namespace conductorai::evidence {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

CommandResult exited(int code) {
  CommandResult result;
  result.exit_code = code;
  return result;
}

TestReport report_of(std::vector<std::pair<std::string, CaseStatus>> cases) {
  TestReport report{.format = "shim", .complete = true};
  for (auto& [name, status] : cases) report.cases.push_back({.name = name, .status = status});
  return report;
}

Discovery found(std::vector<std::string> names) {
  return {.complete = true, .names = std::move(names)};
}

TEST(Judge, PassesOnExitCodeAndReportTogether) {
  const auto run = exited(0);
  const auto judged =
      judge({.run = run, .report = report_of({{"a", CaseStatus::passed}, {"b", CaseStatus::skipped}}), .discovered = found({"a", "b"})});
  EXPECT_EQ(judged.verdict, Verdict::passed);
  EXPECT_EQ(judged.passed, 1);
  EXPECT_THAT(judged.reasons, Contains(HasSubstr("all 2 tests found beforehand ran")));
}

TEST(Judge, FailsWhenNoTestWasRun) {
  const auto run = exited(0);
  EXPECT_THAT(judge({.run = run, .report = report_of({}), .discovered = found({})}).reasons, Contains("no test was run"));
  const auto skipped = judge({.run = run, .report = report_of({{"a", CaseStatus::skipped}}), .discovered = found({"a"})});
  EXPECT_EQ(skipped.verdict, Verdict::failed);
}

TEST(Judge, FailsWhenExitCodeAndReportDisagree) {
  const auto good = exited(0);
  const auto bad = exited(1);
  EXPECT_EQ(judge({.run = good, .report = report_of({{"a", CaseStatus::failed}})}).verdict, Verdict::failed);
  EXPECT_EQ(judge({.run = bad, .report = report_of({{"a", CaseStatus::passed}})}).verdict, Verdict::failed);
}

TEST(Judge, FailsWithoutAReportThatIsExpected) {
  const auto run = exited(0);
  EXPECT_THAT(judge({.run = run}).reasons, Contains("no report was written"));
  EXPECT_THAT(judge({.run = run, .report_problem = "cut"}).reasons, Contains(HasSubstr("cut")));
}

TEST(Judge, FailsOnAnIncompleteOrTamperedReportOrMissingTests) {
  const auto run = exited(0);
  auto incomplete = report_of({{"a", CaseStatus::passed}});
  incomplete.complete = false;
  EXPECT_EQ(judge({.run = run, .report = incomplete}).verdict, Verdict::failed);
  auto tampered = report_of({{"a", CaseStatus::passed}});
  tampered.tampered = {"unittest.case.TestCase.assertEqual"};
  EXPECT_EQ(judge({.run = run, .report = tampered}).verdict, Verdict::failed);
  const auto judged = judge({.run = run, .report = report_of({{"a", CaseStatus::passed}}), .discovered = found({"a", "b"})});
  EXPECT_THAT(judged.reasons, Contains(HasSubstr("not in the report: b")));
}

TEST(Judge, FailsOnCrashesAndLimits) {
  CommandResult crashed;
  crashed.signal = 11;
  EXPECT_THAT(judge({.run = crashed}).reasons, Contains(HasSubstr("signal 11")));
  auto slow = exited(0);
  slow.exceeded = "wall";
  EXPECT_EQ(judge({.run = slow, .report = report_of({{"a", CaseStatus::passed}})}).verdict, Verdict::failed);
}

TEST(Judge, TakesTheExitCodeAloneWhereThatIsAllAndSaysSo) {
  const auto run = exited(0);
  const auto judged = judge({.run = run, .report_expected = false});
  EXPECT_EQ(judged.verdict, Verdict::passed);
  EXPECT_TRUE(judged.exit_code_only);
  EXPECT_THAT(judged.reasons, Contains(HasSubstr("exit code only")));
  const auto bad = exited(2);
  EXPECT_EQ(judge({.run = bad, .report_expected = false}).verdict, Verdict::failed);
}

}  // namespace
}  // namespace conductorai::evidence
