// Gates, feedback, rework, feedback loops, their bounds, and retries by hand.

#include <gtest/gtest.h>

#include "tests/sim/story.hpp"

namespace conductorai::core {
namespace {

std::vector<TaskDefinition> code_review_test() {
  return {task("code", {}, "coding"), task("review", {"code"}, "review"), task("test", {"code"}, "test"), task("docs")};
}

WorkflowDefinition three_phases() {
  WorkflowDefinition d;
  d.tasks = {task("code", {}, "coding"), task("test", {"code"}, "test"), task("notes"), task("deploy", {"test"}, "deploying"),
             task("monitor", {"deploy"}, "monitor")};
  return d;
}

std::vector<std::string> names(const std::vector<TaskId>& ids) {
  std::vector<std::string> out;
  for (const TaskId& id : ids) out.push_back(id.value);
  return out;
}
using Names = std::vector<std::string>;

TEST(Rounds, AFailedVerdictSendsTheNearestCodingTaskAndAllThatNeedsItAgain) {
  Story s(code_review_test());
  s.start();
  s.completes("docs");
  s.completes("code", Verdict::passed);
  EXPECT_EQ(s.completes("test", Verdict::failed), "task.completed");
  EXPECT_EQ(s.completes("review", Verdict::passed), "task.completed gate.decided round.opened");
  const RoundOpened& round = s.last<RoundOpened>();
  EXPECT_EQ(round.kind, RoundKind::rework);
  EXPECT_EQ(round.target, TaskId("code"));
  EXPECT_EQ(names(round.reset), (Names{"code", "review", "test"}));
  EXPECT_EQ(s.dispatched(), "code/2/1");
  EXPECT_EQ(s.shown("docs"), "COMPLETED");
  s.completes("code", Verdict::passed);
  s.completes("test", Verdict::passed);
  EXPECT_EQ(s.completes("review", Verdict::passed), "task.completed gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.state.round, 2);
  EXPECT_EQ(s.record("test").round, 2);
  EXPECT_EQ(s.record("docs").round, 1);
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, AllFailedVerdictsMakeOneFeedback) {
  Story s(code_review_test());
  s.start();
  s.completes("docs");
  s.completes("code", Verdict::passed);
  TaskResult review = s.result("review", Verdict::failed);
  review.feedback = FeedbackPayload{.severity = Severity::critical, .summary = "unsafe", .findings = {{.message = "eval"}}};
  s.when(RecordResult{.result = review});
  s.completes("test", Verdict::failed);
  const FeedbackPayload& feedback = s.last<RoundOpened>().feedback;
  EXPECT_EQ(feedback.from, TaskId("review"));
  EXPECT_EQ(feedback.severity, Severity::critical);
  ASSERT_EQ(feedback.findings.size(), 2U);
  EXPECT_EQ(feedback.findings[1].message, "exit code 1");
  auto parts = assignment_parts(s.state, TaskId("code"), {});
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->findings.size(), 1U);
  EXPECT_EQ(parts->findings[0].findings[0].message, "eval");
  EXPECT_TRUE(assignment_parts(s.state, TaskId("test"), {})->findings.empty());
}

TEST(Rounds, TwoFailingChainsAreReworkedInOneRound) {
  Story s({task("a", {}, "coding"), task("test-a", {"a"}, "test"), task("b", {}, "coding"), task("test-b", {"b"}, "test")});
  s.start();
  s.completes("a"), s.completes("b");
  s.completes("test-b", Verdict::failed);
  s.completes("test-a", Verdict::failed);
  EXPECT_EQ(s.last<RoundOpened>().target, TaskId("a"));
  EXPECT_EQ(s.dispatched(), "a/2/1 b/2/1");
  EXPECT_EQ(assignment_parts(s.state, TaskId("b"), {})->findings.size(), 1U);
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, FeedbackGoesToTheTaskItNames) {
  Story s(code_review_test());
  s.start();
  s.completes("code"), s.completes("docs"), s.completes("review", Verdict::passed);
  TaskResult test = s.result("test", Verdict::failed);
  test.feedback = FeedbackPayload{.target = TaskId("docs"), .summary = "the docs are wrong"};
  s.when(RecordResult{.result = test});
  EXPECT_EQ(names(s.last<RoundOpened>().reset), (Names{"test", "docs"}));  // the failing task judges anew
  EXPECT_EQ(s.dispatched(), "docs/2/1 test/2/1");
}

TEST(Rounds, ANameThatIsNoTaskFallsBackAndWithoutACodingTaskTheFailingOneRunsAgain) {
  Story s({task("a"), task("check", {"a"})});
  s.start();
  s.completes("a");
  TaskResult check = s.result("check", Verdict::failed);
  check.feedback = FeedbackPayload{.target = TaskId("nobody")};
  EXPECT_EQ(s.when(RecordResult{.result = check}), "task.completed gate.decided round.opened");
  EXPECT_EQ(s.dispatched(), "check/2/1");
}

TEST(Rounds, MaxRoundsCountsTheFirstPass) {
  WorkflowDefinition d;
  d.tasks = {task("code", {}, "coding"), task("test", {"code"}, "test")};
  d.max_rounds = 2;
  Story s(d);
  s.start();
  s.completes("code"), s.completes("test", Verdict::failed);
  s.completes("code");
  EXPECT_EQ(s.completes("test", Verdict::failed), "task.completed gate.decided workflow.failed");
  EXPECT_EQ(reason(s.state), "2 of 2 passes of DEVELOPMENT are used up, and task test still has a failed verdict");
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, ExhaustedRoundsMayCompleteWithWarnings) {
  WorkflowDefinition d;
  d.tasks = {task("test", {}, "test")};
  d.max_rounds = 1;
  d.on_exhausted = OnExhausted::complete_with_warnings;
  Story s(d);
  s.start();
  EXPECT_EQ(s.completes("test", Verdict::failed), "task.completed gate.decided workflow.completed");
  EXPECT_EQ(s.state.warnings.size(), 1U);
}

TEST(Rounds, AFailedVerdictOfALaterPhaseIsAFeedbackLoop) {
  Story s(three_phases());
  s.start();
  s.completes("notes"), s.completes("code"), s.completes("test", Verdict::passed), s.completes("deploy", Verdict::passed);
  EXPECT_EQ(s.completes("monitor", Verdict::failed), "task.completed gate.decided round.opened");
  EXPECT_EQ(s.last<RoundOpened>().kind, RoundKind::feedback);
  EXPECT_EQ(s.state.phase, Phase::development);
  EXPECT_EQ(s.state.loops, 1);
  EXPECT_TRUE(s.state.gate_passed.empty());
  EXPECT_EQ(s.dispatched(), "code/2/1");
  s.completes("code"), s.completes("test", Verdict::passed), s.completes("deploy", Verdict::passed);
  EXPECT_EQ(s.completes("monitor", Verdict::passed), "task.completed gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, ReworkAndFeedbackCountApart) {
  WorkflowDefinition d = three_phases();
  d.max_rounds = 2;
  d.max_loops = 1;
  Story s(d);
  s.start();
  s.completes("notes"), s.completes("code"), s.completes("test", Verdict::failed);
  s.completes("code"), s.completes("test", Verdict::passed), s.completes("deploy", Verdict::passed);
  s.completes("monitor", Verdict::failed);
  EXPECT_EQ(s.state.passes.at(Phase::development), 1);  // entered anew
  s.completes("code");
  EXPECT_EQ(s.completes("test", Verdict::failed), "task.completed gate.decided round.opened");
  s.completes("code"), s.completes("test", Verdict::passed), s.completes("deploy", Verdict::passed);
  EXPECT_EQ(s.completes("monitor", Verdict::failed), "task.completed gate.decided workflow.failed");
  EXPECT_EQ(s.state.round, 4);
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, AVerdictWithoutEvidenceNeverPassesAGate) {
  Story s({task("test", {}, "test")});
  s.context.check = [](const PolicyContext&) { return PolicyDecision{}; };  // even where every policy says yes
  s.start();
  TaskResult result = s.result("test", Verdict::passed);
  result.evidence.clear();
  EXPECT_EQ(s.when(RecordResult{.result = result}), "task.completed gate.decided workflow.failed");
  EXPECT_EQ(reason(s.state), "the gate of DEVELOPMENT is not passed: 1 verdicts cite no evidence");
  EXPECT_EQ(s.when(RetryFailed{.by = "ann"}), "round.opened");
  EXPECT_EQ(s.dispatched(), "test/2/1");
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, TheGateCitesTheEvidenceOfItsVerdicts) {
  Story s({task("test", {}, "test"), task("more", {}, "test")});
  s.start();
  s.completes("test", Verdict::passed), s.completes("more", Verdict::passed);
  const auto& gate = std::get<GateDecided>(s.events.at(1));
  EXPECT_TRUE(gate.passed);
  EXPECT_EQ(gate.next_phase, Phase::devops);
  EXPECT_EQ(gate.evidence, std::vector<Digest>{Digest("sha256:0")});
}

TEST(Rounds, ALowerSuccessRateLetsFailedVerdictsPassAndSaysSo) {
  WorkflowDefinition d;
  d.tasks = {task("a", {}, "test"), task("b", {}, "test"), task("c", {"b"}), task("ship", {"c"}, "devops")};
  d.gates["development"].min_success_rate = 0.5;
  Story s(d);
  s.start();
  s.completes("a", Verdict::passed);
  EXPECT_EQ(s.completes("b", Verdict::failed), "task.completed gate.decided");
  EXPECT_EQ(s.shown("c"), "BLOCKED");
  EXPECT_EQ(s.dispatched(), "ship/1/1");  // a need in an earlier phase is met by its passed gate
  s.completes("ship");
  EXPECT_EQ(s.state.warnings.size(), 2U);
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, PoliciesMayRefuseAGate) {
  Story s({task("test", {}, "test")});
  s.context.check = [](const PolicyContext& about) {
    return std::holds_alternative<PassGate>(about) ? PolicyDecision{PolicyVerdict::deny, {"not on a Friday"}} : PolicyDecision{};
  };
  s.start();
  EXPECT_EQ(s.completes("test", Verdict::passed), "task.completed gate.decided workflow.failed");
  EXPECT_EQ(reason(s.state), "the gate of DEVELOPMENT is not passed: not on a Friday");
}

TEST(Rounds, ARetryRunsTheFailedTaskAndWhatNeedsItAgain) {
  Story s({task("a"), task("b", {"a"}), task("other")});
  s.start();
  s.completes("other"), s.fails("a");
  EXPECT_EQ(status(s.state), WorkflowStatus::failed);
  EXPECT_EQ(s.when(RetryFailed{.by = "ann"}), "round.opened");
  EXPECT_EQ(s.dispatched(), "a/2/1");
  EXPECT_EQ(names(s.last<RoundOpened>().reset), (Names{"a", "b"}));
  EXPECT_TRUE(assignment_parts(s.state, TaskId("a"), {})->findings.empty());
  s.completes("a");
  EXPECT_EQ(s.completes("b"), "task.completed gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, ARetryStartsTheBoundsAfresh) {
  WorkflowDefinition d;
  d.tasks = {task("code", {}, "coding"), task("test", {"code"}, "test")};
  d.max_rounds = 1;
  Story s(d);
  s.start();
  s.completes("code"), s.completes("test", Verdict::failed);
  EXPECT_EQ(s.when(RetryFailed{}), "round.opened");
  EXPECT_EQ(s.dispatched(), "code/2/1");
  EXPECT_EQ(assignment_parts(s.state, TaskId("code"), {})->findings.size(), 1U);
  s.completes("code");
  EXPECT_EQ(s.completes("test", Verdict::passed), "task.completed gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, ARetryOfOneTaskLeavesTheOtherFailures) {
  Story s({task("a"), task("b")});
  s.start();
  s.fails("a"), s.fails("b");
  EXPECT_EQ(s.when(RetryFailed{.task = TaskId("nobody")}), "rejected: no such task (nobody)");
  s.when(RetryFailed{.task = TaskId("a")});
  EXPECT_EQ(s.dispatched(), "a/2/1");
  EXPECT_EQ(s.completes("a"), "task.completed gate.decided workflow.failed");
  EXPECT_EQ(s.broken, "");
}

TEST(Rounds, OnlyAFailedWorkflowIsRetried) {
  Story s({task("a")});
  s.start();
  EXPECT_EQ(s.when(RetryFailed{}), "rejected: only a FAILED workflow can be retried: the workflow is IN_PROGRESS (wf-1)");
}

}  // namespace
}  // namespace conductorai::core
