#pragma once
// The judge: a verdict from how the test process ended, what our runner wrote and which tests were found beforehand. Text that the
// program printed has no say.

#include <optional>
#include <string>
#include <vector>

#include "conductorai/models.hpp"
#include "conductorai/sandbox.hpp"
#include "evidence/report.hpp"

namespace conductorai::evidence {

struct Observation {
  const CommandResult& run;
  std::optional<TestReport> report;     // absent: none was written, or it could not be read
  std::string report_problem;           // why it could not be read
  std::optional<Discovery> discovered;  // absent: this toolchain can't list its tests
  bool report_expected = true;          // false: the suite reports by its exit code alone
  bool written_by_project = false;      // by the project's own runner (toolchain.report), not by ours
};

struct Judgement {
  Verdict verdict = Verdict::failed;
  std::vector<std::string> reasons;  // why it failed, or what a pass rests on; never empty
  std::int64_t passed = 0, failed = 0, skipped = 0;
  bool exit_code_only = false;
};

/// Passes only when the process ended with exit code 0 and, where a report is expected, the report is complete, untampered, holds at
/// least one test that passed, no failure, and every test found beforehand.
Judgement judge(const Observation& observation);

}  // namespace conductorai::evidence
