#pragma once
// From what was observed to what the task reports: verdict, evidence, findings.

#include <optional>
#include <string>

#include "agents/base/toolchain_run.hpp"
#include "conductorai/base_agent.hpp"
#include "evidence/verdict.hpp"

namespace conductorai::agents {

/// A build, fetch or listing of tests that failed before any test could run.
task<Result<Outcome>> failed_before_tests(TaskContext& context, const ToolchainRun& run, ToolchainOutcome outcome, std::string what);

/// No way to run tests is known for these files.
task<Result<Outcome>> nothing_to_run(TaskContext& context, const ToolchainRun& run);

struct TestsObserved {
  ToolchainOutcome outcome;
  std::optional<evidence::TestReport> report;
  std::string report_problem;
  std::optional<evidence::Discovery> discovered;
};
task<Result<Outcome>> judged_tests(TaskContext& context, const ToolchainRun& run, TestsObserved observed);

}  // namespace conductorai::agents
