#include "agents/development/test_agent_outcome.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "evidence/findings.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kExcerptBytes = 3'000;
constexpr std::size_t kFindingsMax = 50;

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

/// The end of what was printed, marked as data: it was written by the program under test.
std::string excerpt(const ToolchainOutcome& outcome) {
  auto text = outcome.printed();
  if (text.size() > kExcerptBytes) {
    auto cut = text.size() - kExcerptBytes;
    while (cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) ++cut;
    text = "…" + text.substr(cut);
  }
  return "<data: end of the program's output>\n" + text + "\n</data>";
}

void add_excerpt(std::vector<Finding>& findings, const ToolchainOutcome& outcome) {
  if (outcome.result().out.total_bytes + outcome.result().err.total_bytes > 0)
    findings.push_back({.severity = Severity::info, .message = excerpt(outcome), .source = "output"});
}

/// How a command ended, as an artifact that evidence can cite even where nothing was printed.
task<Result<ArtifactRef>> save_record(TaskContext& context, const ToolchainOutcome& outcome, std::string name,
                                      std::vector<std::string> reasons) {
  const auto& result = outcome.result();
  Object record{{"ended", result.describe()},        {"exit_code", result.exit_code},
                {"signal", result.signal},           {"exceeded", result.exceeded ? Value(*result.exceeded) : Value()},
                {"enforced_by", result.enforced_by}, {"reasons", Array(reasons.begin(), reasons.end())}};
  Array output;
  for (const auto& artifact : outcome.command.artifacts)
    output.push_back(Object{{"name", artifact.name}, {"digest", artifact.digest.str()}});
  record["output"] = std::move(output);
  auto saved = co_await context.save_artifact(std::move(name), "report", core::to_json(record) + "\n");
  co_return saved;
}

Evidence exit_evidence(const CommandResult& result, std::string what, Digest artifact) {
  Evidence evidence{.kind = "exit_code", .summary = std::move(what) + ": " + result.describe(), .artifact = std::move(artifact)};
  if (result.signal == 0 && !result.exceeded) evidence.value = result.exit_code;
  return evidence;
}

Outcome failed(std::string summary, std::vector<Finding> findings) {
  Outcome outcome{.verdict = Verdict::failed, .summary = summary};
  outcome.feedback = FeedbackPayload{.severity = Severity::error, .summary = std::move(summary), .findings = std::move(findings)};
  return outcome;
}

void set_counts(Outcome& outcome, const evidence::Judgement& judged) {
  outcome.outputs["passed"] = judged.passed;
  outcome.outputs["failed"] = judged.failed;
  outcome.outputs["skipped"] = judged.skipped;
  outcome.outputs["total"] = judged.passed + judged.failed + judged.skipped;
}

std::vector<Finding> findings_about(const TestsObserved& observed, const evidence::Judgement& judged,
                                    const std::vector<std::string>& files) {
  std::vector<Finding> findings;
  if (observed.report) findings = evidence::findings_of(*observed.report, files, kFindingsMax);
  const bool explained = !findings.empty() && observed.report->complete;
  if (!explained) {
    findings.insert(findings.begin(), {.severity = Severity::error, .message = joined(judged.reasons), .source = "test"});
    auto printed = evidence::findings_in_output(observed.outcome.printed(), files, kFindingsMax);
    findings.insert(findings.end(), std::make_move_iterator(printed.begin()), std::make_move_iterator(printed.end()));
  } else if (judged.reasons.size() > 1) {
    findings.push_back({.severity = Severity::error, .message = joined(judged.reasons), .source = "test"});
  }
  return findings;
}

}  // namespace

task<Result<Outcome>> failed_before_tests(TaskContext& context, const ToolchainRun& run, ToolchainOutcome outcome, std::string what) {
  auto record = co_await save_record(context, outcome, "before-tests.json", {what});
  if (!record) co_return fail(record.error());
  auto findings = evidence::findings_in_output(outcome.printed(), run.files(), kFindingsMax);
  const auto summary = what + ": " + outcome.result().describe();
  findings.insert(findings.begin(), {.severity = Severity::error, .message = summary, .source = "test"});
  add_excerpt(findings, outcome);
  auto result = failed(summary, std::move(findings));
  result.evidence.push_back(exit_evidence(outcome.result(), what, record->digest));
  set_counts(result, {});
  co_return result;
}

task<Result<Outcome>> nothing_to_run(TaskContext& context, const ToolchainRun& run) {
  std::string listing;
  for (const auto& file : run.files()) listing += file + "\n";
  auto saved = co_await context.save_artifact("files.txt", "report", listing);
  if (!saved) co_return fail(saved.error());
  const std::string summary = "no test was run: none of the files tells how this project is tested";
  auto outcome = failed(summary, {{.severity = Severity::error, .message = summary, .source = "test"}});
  outcome.feedback->recommendations = {"add tests for a runner that is known (unittest, pytest, node:test, CTest, go, cargo, make check)",
                                       "or name the command in toolchain.test"};
  outcome.evidence.push_back(
      {.kind = "test_report", .summary = summary, .passed = 0, .failed = 0, .skipped = 0, .artifact = saved->digest});
  set_counts(outcome, {});
  co_return outcome;
}

task<Result<Outcome>> judged_tests(TaskContext& context, const ToolchainRun& run, TestsObserved observed) {
  const auto& toolchain = run.toolchain();
  const auto judged = evidence::judge({.run = observed.outcome.result(),
                                       .report = observed.report,
                                       .report_problem = observed.report_problem,
                                       .discovered = observed.discovered,
                                       .report_expected = !toolchain.report_format.empty(),
                                       .written_by_project = !toolchain.report_path.empty()});
  auto record = co_await save_record(context, observed.outcome, "test-run.json", judged.reasons);
  if (!record) co_return fail(record.error());
  Outcome outcome{.verdict = judged.verdict, .summary = joined(judged.reasons)};
  if (judged.verdict == Verdict::failed) {
    auto findings = findings_about(observed, judged, run.files());
    add_excerpt(findings, observed.outcome);
    outcome = failed(outcome.summary, std::move(findings));
  }
  outcome.evidence.push_back(exit_evidence(observed.outcome.result(), "tests (" + toolchain.name + ")", record->digest));
  if (judged.exit_code_only) outcome.evidence.back().summary += ", exit code only";
  if (observed.report) {
    auto saved = co_await context.save_artifact("test-report", "report", observed.outcome.written.value_or(""));
    if (!saved) co_return fail(saved.error());
    outcome.evidence.push_back({.kind = "test_report",
                                .summary = toolchain.name + ": " + std::to_string(judged.passed) + " passed, " +
                                           std::to_string(judged.failed) + " failed, " + std::to_string(judged.skipped) + " skipped",
                                .passed = judged.passed,
                                .failed = judged.failed,
                                .skipped = judged.skipped,
                                .artifact = saved->digest});
  }
  set_counts(outcome, judged);
  outcome.outputs["runner"] = toolchain.name;
  co_return outcome;
}

}  // namespace conductorai::agents
