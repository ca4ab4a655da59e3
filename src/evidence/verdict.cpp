#include "evidence/verdict.hpp"

#include <algorithm>
#include <set>

#include "base/human.hpp"

namespace conductorai::evidence {
namespace {

std::string joined(const std::vector<std::string>& names, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < limit; ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > limit) out += " and " + std::to_string(names.size() - limit) + " more";
  return out;
}

std::vector<std::string> names_of(const TestReport& report, bool (*wanted)(CaseStatus)) {
  std::vector<std::string> names;
  for (const auto& test : report.cases)
    if (wanted(test.status)) names.push_back(test.name);
  return names;
}

std::vector<std::string> not_run(const Discovery& discovered, const TestReport& report) {
  std::set<std::string_view> ran;
  for (const auto& test : report.cases) ran.insert(test.name);
  std::vector<std::string> missing;
  for (const auto& name : discovered.names)
    if (!ran.contains(name)) missing.push_back(name);
  return missing;
}

void judge_report(const Observation& seen, const TestReport& report, std::vector<std::string>& against) {
  if (!report.missing.empty()) against.push_back("the runner needs " + joined(report.missing, 5) + ", which is not installed");
  if (!report.complete) against.push_back("the report is incomplete: " + report.incomplete_because);
  if (!report.tampered.empty()) against.push_back("the code under test replaced parts of the test runner: " + joined(report.tampered, 5));
  const auto failures = names_of(report, [](CaseStatus s) { return s == CaseStatus::failed || s == CaseStatus::error; });
  if (!failures.empty()) {
    against.push_back(std::to_string(failures.size()) + " of " + std::to_string(report.cases.size()) +
                      " tests failed: " + joined(failures, 5));
    if (seen.run.ok()) against.emplace_back("the process ended with exit code 0 although tests failed");
  } else if (report.passed() == 0) {
    against.emplace_back(report.cases.empty() ? "no test was run" : "no test was run: all were skipped");
  }
  if (!seen.discovered) return;
  const auto missing = not_run(*seen.discovered, report);
  if (!missing.empty())
    against.push_back(count_text(missing.size(), "test") + " found beforehand " + (missing.size() == 1 ? "is" : "are") +
                      " not in the report: " + joined(missing, 5));
}

std::string basis(const Observation& seen, const Judgement& judged) {
  if (judged.exit_code_only) return "exit code 0; this suite reports by its exit code only, single tests were not seen";
  std::string text = "exit code 0 and a complete report: " + std::to_string(judged.passed) + " passed";
  if (judged.skipped > 0) text += ", " + std::to_string(judged.skipped) + " skipped";
  if (seen.written_by_project) return text + "; the report was written by the project's own runner";
  if (seen.discovered) text += "; all " + count_text(seen.discovered->names.size(), "test") + " found beforehand ran";
  return text;
}

}  // namespace

Judgement judge(const Observation& seen) {
  Judgement judged;
  judged.exit_code_only = !seen.report_expected;
  auto& against = judged.reasons;
  if (!seen.run.ok()) against.push_back("the test process ended with " + seen.run.describe());
  if (seen.report) {
    judged.passed = static_cast<std::int64_t>(seen.report->passed());
    judged.failed = static_cast<std::int64_t>(seen.report->failed());
    judged.skipped = static_cast<std::int64_t>(seen.report->skipped());
    judge_report(seen, *seen.report, against);
  } else if (seen.report_expected) {
    against.push_back(seen.report_problem.empty() ? "no report was written" : "the report can't be used: " + seen.report_problem);
  }
  if (seen.discovered && !seen.discovered->complete) against.emplace_back("listing the tests beforehand did not come to its end");
  judged.verdict = against.empty() ? Verdict::passed : Verdict::failed;
  if (against.empty()) against.push_back(basis(seen, judged));
  return judged;
}

}  // namespace conductorai::evidence
