#include "agents/development/test_agent.hpp"

#include <algorithm>

#include "agents/base/answer_files.hpp"
#include "agents/base/prompt_parts.hpp"
#include "agents/base/with.hpp"
#include "agents/development/agents.hpp"
#include "agents/development/changed_tests.hpp"
#include "agents/development/test_agent_answer.hpp"
#include "agents/development/test_agent_prompt.hpp"
#include "agents/tools/tool_loop.hpp"
#include "evidence/integrity.hpp"
#include "evidence/source_scan.hpp"

namespace conductorai::agents {
namespace {

const AgentDescription kDescription{
    .type = AgentType("test"),
    .phase = Phase::development,
    .uses_llm = true,
    .changes_files = true,
    .summary = "Writes tests, runs them in the sandbox and judges by exit code and report.",
    .with = {{.name = "write-tests",
              .type = WithKey::Type::boolean,
              .description = "Whether the model is asked for tests; false runs the tests that are there (default true).",
              .allowed = {}},
             tools_key(),
             allow_test_changes_key()}};

bool is_test_code(const std::string& path) {
  return evidence::is_test_path(path) && evidence::language_of(path).has_value();
}

/// Present content of the answered paths. One that can't be read is left to `apply_files` to refuse.
task<std::map<std::string, std::string>> contents_before(Workspace& workspace, AnswerFiles files) {
  std::map<std::string, std::string> before;
  for (const auto& [path, content] : files) {
    auto present = co_await workspace.read(path);
    if (present) before.emplace(path, std::move(*present));
  }
  co_return before;
}

std::string refuse_of_tests(const std::string& path, const std::optional<std::string>& before, const std::optional<std::string>& after) {
  std::map<std::string, std::string> present;
  if (before) present.emplace(path, *before);
  const auto refused = refusals_of_tests({{path, after}}, present);
  return refused.empty() ? std::string() : refused.front().message;
}

/// What is wrong with the answer belongs to this task, not to the code's.
task<Result<std::optional<Outcome>>> refused_tests(TaskContext& context, std::vector<Finding> refused, LLMResponse answer) {
  auto outcome = co_await refused_answer(context, "the answer's tests were refused", std::move(refused), answer_text(answer));
  if (!outcome) co_return fail(outcome.error());
  outcome->feedback->target = context.assignment().id.task;
  co_return std::optional(std::move(*outcome));
}

/// What building, listing or running left may not be in a workspace (a repository of its own): the code did that, not this task.
task<Result<Outcome>> refused_leavings(TaskContext& context, Error error) {
  const std::string summary = "what running the tests left was refused: " + to_string(error);
  auto kept = co_await context.save_artifact("refused-workspace.txt", "report", summary + "\n");
  if (!kept) co_return fail(kept.error());
  Outcome outcome{.verdict = Verdict::failed, .summary = summary};
  outcome.evidence.push_back({.kind = "integrity", .summary = summary, .artifact = kept->digest});
  outcome.feedback = FeedbackPayload{.severity = Severity::error, .summary = summary};
  outcome.feedback->findings = {{.severity = Severity::error, .message = summary, .source = "workspace"}};
  co_return outcome;
}

}  // namespace

const AgentDescription& TestAgent::description() const {
  return kDescription;
}

task<Result<Outcome>> TestAgent::execute(TaskContext& context) {
  auto workspace = co_await context.workspace();
  if (!workspace) co_return fail(workspace.error());
  auto wanted = co_await wants_new_tests(context, **workspace);
  if (!wanted) co_return fail(wanted.error());
  if (*wanted) {
    auto refused = co_await write_tests(context, **workspace);
    if (!refused) co_return fail(refused.error());
    if (*refused) co_return std::move(**refused);
  }
  // What running leaves behind is no part of the change: the commit holds what was written, nothing else.
  auto clean = co_await (*workspace)->snapshot();
  if (!clean) co_return fail(clean.error());
  auto outcome = co_await run_tests(context, **workspace);
  if (!outcome && outcome.error().code == ErrorCode::permission_denied) outcome = co_await refused_leavings(context, outcome.error());
  if (!outcome) co_return fail(outcome.error());
  auto restored = co_await (*workspace)->restore(*clean);
  if (!restored) co_return fail(restored.error());
  co_return outcome;
}

/// In the first round, when a finding names the task, or when it did not get to write any in an earlier round: its needs had failed.
task<Result<bool>> TestAgent::wants_new_tests(TaskContext& context, Workspace& workspace) {
  const auto& assignment = context.assignment();
  if (!flag_of(assignment.task->with, "write-tests", true)) co_return false;
  if (assignment.id.round <= 1 || is_named_by_findings(assignment)) co_return true;
  auto files = co_await workspace.list_files();
  if (!files) co_return fail(files.error());
  for (const auto& path : *files) {
    if (!is_test_code(path)) continue;
    auto at_start = co_await workspace.file_at(assignment.workflow_base, path);
    if (!at_start) co_return fail(at_start.error());
    if (!*at_start) co_return false;  // tests came in since the workflow started
  }
  co_return true;
}

task<Result<std::optional<Outcome>>> TestAgent::write_tests(TaskContext& context, Workspace& workspace) {
  auto run = co_await ToolchainRun::open(context);
  if (!run) co_return fail(run.error());
  auto prompt = co_await test_prompt(context, workspace, (*run)->toolchain().name);
  if (!prompt) co_return fail(prompt.error());
  context.progress("asking for tests");
  Ask ask{.system = test_system_prompt(), .user = std::move(*prompt), .answer_schema = {}};
  ToolAccess access{.tools = {"list_files", "read_file", "search", "write_file", "apply_patch", "run_command"},
                    .refuse = refuse_of_tests,
                    .enforce = enforce_};
  auto answer = co_await ask_working(context, std::move(ask), std::move(access));
  if (!answer) co_return fail(answer.error());
  const auto files = files_of(*answer);
  auto written = co_await workspace.changes();
  if (!written) co_return fail(written.error());
  if (files.empty() && !written->empty()) co_return std::nullopt;  // by tools, each change judged as it came
  if (files.empty()) co_return fail(ErrorCode::invalid_answer, "the model's answer holds no files", context.assignment().id.task.str());
  const auto before = co_await contents_before(workspace, files);
  auto refused = refusals_of_tests(files, before);
  if (refused.empty()) {
    auto applied = co_await apply_files(workspace, files);
    if (!applied) co_return fail(applied.error());
    refused = std::move(applied->refused);
  }
  if (refused.empty()) co_return std::nullopt;
  auto outcome = co_await refused_tests(context, std::move(refused), std::move(*answer));
  co_return outcome;
}

/// Whoever may take tests away, or say which are run, writes the verdict: such a change is judged before anything is run.
task<Result<std::optional<Outcome>>> TestAgent::refuse_changed_tests(TaskContext& context, Workspace& workspace) {
  auto diff = co_await workspace.diff(context.assignment().workflow_base);
  if (!diff) co_return fail(diff.error());
  auto findings = co_await changed_tests(context, workspace, std::move(*diff));
  if (!findings) co_return fail(findings.error());
  const auto first = std::ranges::find_if(*findings, [](const Finding& finding) { return finding.severity >= Severity::error; });
  if (first == findings->end()) co_return std::nullopt;
  Outcome outcome{.verdict = Verdict::failed,
                  .summary = "the tests that were there when the workflow started were changed: " +
                             (first->file.empty() ? "" : first->file + ": ") + first->message};
  auto kept = co_await context.save_artifact("changed-tests.txt", "report", findings_text(*findings));
  if (!kept) co_return fail(kept.error());
  outcome.evidence.push_back({.kind = "integrity", .summary = outcome.summary, .artifact = kept->digest});
  FeedbackPayload feedback{.from = context.assignment().id.task, .severity = Severity::critical, .summary = outcome.summary};
  feedback.findings = std::move(*findings);
  feedback.recommendations = {"put the tests back as they were and change the code instead"};
  feedback.evidence.push_back(kept->digest);
  outcome.feedback = std::move(feedback);
  co_return std::optional(std::move(outcome));
}

task<Result<Outcome>> TestAgent::run_tests(TaskContext& context, Workspace& workspace) {
  auto changed = co_await refuse_changed_tests(context, workspace);
  if (!changed) co_return fail(changed.error());
  if (*changed) co_return std::move(**changed);
  auto run = co_await ToolchainRun::open(context);
  if (!run) co_return fail(run.error());
  const auto& toolchain = (*run)->toolchain();
  if (toolchain.test.empty()) {
    auto nothing = co_await nothing_to_run(context, **run);
    co_return nothing;
  }
  auto built = co_await (*run)->build();
  if (!built) co_return fail(built.error());
  if (*built && !(*built)->result().ok()) {
    auto outcome = co_await failed_before_tests(context, **run, std::move(**built), "the build failed");
    co_return outcome;
  }
  TestsObserved observed;
  auto unlisted = co_await list_tests(context, workspace, **run, observed);
  if (!unlisted) co_return fail(unlisted.error());
  if (*unlisted) co_return std::move(**unlisted);
  auto tested = co_await (*run)->test();
  if (!tested) co_return fail(tested.error());
  if (tested->written && !toolchain.report_format.empty()) {
    auto report = evidence::parse_report(toolchain.report_format, *tested->written);
    if (report)
      observed.report = std::move(*report);
    else
      observed.report_problem = to_string(report.error());
  }
  observed.outcome = std::move(*tested);
  auto outcome = co_await judged_tests(context, **run, std::move(observed));
  co_return outcome;
}

/// Fills `observed.discovered`. An outcome where the tests can't be listed: then what a run of them reported could not be trusted either.
task<Result<std::optional<Outcome>>> TestAgent::list_tests(TaskContext& context, Workspace& workspace, ToolchainRun& run,
                                                           TestsObserved& observed) {
  const auto& toolchain = run.toolchain();
  if (toolchain.discover.empty()) co_return std::nullopt;
  auto before = co_await workspace.snapshot();
  if (!before) co_return fail(before.error());
  auto listed = co_await run.discover();
  if (!listed) co_return fail(listed.error());
  auto discovery = evidence::parse_discovery(toolchain.discovery_format, listed->written.value_or(""));
  if (discovery && !discovery->missing.empty()) co_return fail(evidence::missing_program(toolchain, discovery->missing.front()));
  if (!discovery || !discovery->complete || !listed->result().ok()) {
    auto outcome = co_await failed_before_tests(context, run, std::move(*listed), "listing the tests failed");
    if (!outcome) co_return fail(outcome.error());
    co_return std::optional(std::move(*outcome));
  }
  observed.discovered = std::move(*discovery);
  // Loading the tests ran the project's code: what it did to the files must not reach the test run. Products in the workspace that the
  // run needs would be lost with it, so there it is left.
  if (toolchain.builds_in_workspace) co_return std::nullopt;
  auto restored = co_await workspace.restore(*before);
  if (!restored) co_return fail(restored.error());
  co_return std::nullopt;
}

std::unique_ptr<BaseAgent> make_test_agent(AgentId id, int capacity, EnforcePolicy enforce) {
  return std::make_unique<TestAgent>(std::move(id), capacity, std::move(enforce));
}

}  // namespace conductorai::agents
