// Approvals and deadlines, and the races between them and their answers.

#include <gtest/gtest.h>

#include "tests/sim/story.hpp"

namespace conductorai::core {
namespace {

constexpr const char* kEnd = "task.completed gate.decided gate.decided gate.decided workflow.completed";

class Approvals : public testing::Test {
 protected:
  static WorkflowDefinition definition() {
    WorkflowDefinition d;
    d.tasks = {task("code", {}, "coding"), task("deploy", {"code"}, "deploying")};
    d.policies.approvals = {"deploying"};
    d.policies.approval_timeout = Milliseconds(60'000);
    return d;
  }
  Story story_{definition()};
  void SetUp() override {
    story_.start();
    ASSERT_EQ(story_.completes("code", Verdict::passed), "task.completed gate.decided approval.requested");
  }
  void TearDown() override { EXPECT_EQ(story_.broken, ""); }
};

TEST_F(Approvals, ATaskWaitsForThemAndSaysSo) {
  EXPECT_EQ(reason(story_.state), "waiting for approval of task deploy");
  EXPECT_EQ(story_.shown("deploy"), "PAUSED");
  EXPECT_EQ(story_.dispatched(), "");
  EXPECT_EQ(story_.when(Resolve{.by = "ann"}), "approval.resolved");
  EXPECT_EQ(story_.dispatched(), "deploy/1/1");
  EXPECT_EQ(story_.when(Resolve{}), "stale: no approval is open (wf-1)");
  EXPECT_EQ(story_.when(Resolve{.approval = ApprovalId("deploy@1")}), "stale: it was resolved before (deploy@1)");
  EXPECT_EQ(story_.when(Resolve{.approval = ApprovalId("x")}), "rejected: no such approval (x)");
}

TEST_F(Approvals, ARejectionFailsTheTaskWithItsReason) {
  EXPECT_EQ(story_.when(Resolve{.approve = false, .by = "ann", .comment = "not today"}), "approval.resolved gate.decided workflow.failed");
  EXPECT_EQ(reason(story_.state), "task deploy failed: approval of task deploy was rejected by ann: not today");
  EXPECT_EQ(story_.when(RetryFailed{}), "round.opened approval.requested");
}

TEST(Approval, ThatIsRejectedBlocksEverythingBehindItInWhateverPhase) {
  WorkflowDefinition d;
  d.tasks = {task("code", {}, "coding"), task("package", {"code"}, "devops"), task("deploy", {"package"}, "deploying"),
             task("watch", {"deploy"}, "monitor"), task("tail", {"code"}, "monitor")};
  d.tasks[1].approval = true;
  Story s(d);
  s.start();
  s.completes("code", Verdict::passed);
  EXPECT_EQ(s.shown("deploy"), "PENDING");
  s.when(Resolve{.approve = false});
  for (const char* id : {"deploy", "watch", "tail"}) EXPECT_EQ(s.shown(id), "BLOCKED") << id;
  EXPECT_EQ(s.when(RetryFailed{}), "round.opened approval.requested");
  for (const char* id : {"deploy", "watch", "tail"}) EXPECT_EQ(s.shown(id), "PENDING") << id;
  EXPECT_EQ(s.broken, "");
}

TEST_F(Approvals, TheTimerExpiresThem) {
  const auto effects = outstanding(story_.state);
  ASSERT_EQ(effects.size(), 1U);
  const auto& timer = std::get<StartTimer>(effects[0]);
  EXPECT_EQ(timer.at, story_.context.now + Milliseconds(60'000));
  EXPECT_EQ(story_.when(timer.timer), "approval.resolved gate.decided workflow.failed");
  EXPECT_EQ(reason(story_.state), "task deploy failed: approval of task deploy expired");
}

TEST_F(Approvals, AnAnswerAfterTheDeadlineFindsThemExpired) {
  story_.context.now += Milliseconds(60'000);
  EXPECT_EQ(story_.when(Resolve{.by = "ann"}), "approval.resolved gate.decided workflow.failed");
  EXPECT_EQ(std::get<ApprovalResolved>(story_.events.at(0)).outcome, ApprovalOutcome::expired);
}

TEST_F(Approvals, ATimerAfterTheAnswerIsStale) {
  const FireTimer timer{.kind = FireTimer::Kind::approval, .approval = ApprovalId("deploy@1")};
  story_.when(Resolve{});
  EXPECT_EQ(story_.when(timer), "stale: approval deploy@1 is not open: the workflow is IN_PROGRESS (wf-1)");
}

TEST_F(Approvals, AnAnswerDuringAPauseCountsOnResume) {
  story_.when(Pause{});
  EXPECT_EQ(story_.when(Resolve{}), "approval.resolved");
  EXPECT_EQ(story_.dispatched(), "");
  EXPECT_EQ(story_.when(Resume{}), "workflow.resumed");
  EXPECT_EQ(story_.dispatched(), "deploy/1/1");
}

TEST(Approval, OfAGateIsAskedWhenAllElseIsWell) {
  WorkflowDefinition d;
  d.tasks = {task("test", {}, "test")};
  d.gates["development"].approval = true;
  d.policies.approval_timeout = Milliseconds(1000);
  Story s(d);
  s.start();
  EXPECT_EQ(s.completes("test", Verdict::passed), "task.completed approval.requested");
  EXPECT_EQ(reason(s.state), "waiting for approval of gate DEVELOPMENT");
  EXPECT_EQ(outstanding(s.state).size(), 1U);
  EXPECT_EQ(s.when(Resolve{}), "approval.resolved gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Approval, OfAGateThatIsRejectedFailsTheWorkflowAndARetryAsksAgain) {
  WorkflowDefinition d;
  d.tasks = {task("test", {}, "test")};
  d.gates["development"].approval = true;
  Story s(d);
  s.start();
  s.completes("test", Verdict::passed);
  EXPECT_EQ(s.when(Resolve{.approve = false}), "approval.resolved gate.decided workflow.failed");
  EXPECT_EQ(reason(s.state), "approval of gate DEVELOPMENT was rejected");
  EXPECT_EQ(s.when(RetryFailed{}), "round.opened approval.requested");
  EXPECT_EQ(s.when(Resolve{}), "approval.resolved gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Approval, NamesMustBeGivenWhereSeveralAreOpen) {
  auto a = task("a"), b = task("b");
  a.approval = b.approval = true;
  Story s({a, b});
  EXPECT_EQ(s.start(), "workflow.started approval.requested approval.requested");
  EXPECT_EQ(s.when(Resolve{}), "rejected: several approvals are open: a@1, b@1");
  EXPECT_EQ(s.when(Resolve{.approval = ApprovalId("b@1")}), "approval.resolved");
  EXPECT_EQ(s.broken, "");
}

TEST(Approval, APolicyMayAskForIt) {
  Story s({task("a")});
  s.context.check = [](const PolicyContext& about) {
    const auto* start = std::get_if<StartTask>(&about);
    return start != nullptr && !start->approved ? PolicyDecision{PolicyVerdict::needs_approval, {"because"}} : PolicyDecision{};
  };
  EXPECT_EQ(s.start(), "workflow.started approval.requested");
  EXPECT_EQ(s.last<ApprovalRequested>().reason, "because");
  EXPECT_EQ(s.when(Resolve{}), "approval.resolved");
  EXPECT_EQ(s.dispatched(), "a/1/1");
}

TEST(Deadline, StopsWhatIsLiveAndEndsFailed) {
  WorkflowDefinition d;
  d.tasks = {task("a"), task("b", {"a"})};
  d.timeout = Milliseconds(5'000);
  Story s(d);
  s.start();
  const auto timer = std::get<StartTimer>(outstanding(s.state).at(1));
  EXPECT_EQ(timer.at, s.context.now + Milliseconds(5'000));
  const TaskResult late = s.result("a");
  EXPECT_EQ(s.when(timer.timer), "workflow.cancel_requested");
  EXPECT_EQ(s.when(RecordResult{.result = late}), "stale: the workflow takes no results: it is IN_PROGRESS (a/1/1)");
  EXPECT_EQ(s.when(FinishCancel{}), "workflow.failed");
  EXPECT_EQ(reason(s.state), "the workflow's timeout of 5 s has passed");
  s.context.now += Milliseconds(60'000);
  EXPECT_EQ(s.when(RetryFailed{}), "round.opened");
  EXPECT_EQ(s.dispatched(), "a/2/1");
  EXPECT_EQ(deadline(s.state), s.context.now + Milliseconds(5'000));
  EXPECT_EQ(s.broken, "");
}

TEST(Deadline, AResultThatCameFirstCounts) {
  WorkflowDefinition d;
  d.tasks = {task("a")};
  d.timeout = Milliseconds(5'000);
  Story s(d);
  s.start();
  EXPECT_EQ(s.completes("a"), kEnd);
  EXPECT_EQ(s.when(FireTimer{.kind = FireTimer::Kind::workflow}), "stale: no deadline is running: the workflow is COMPLETED (wf-1)");
}

TEST(Deadline, EndsAtOnceWhereNothingIsLiveAndNeverDuringAPause) {
  WorkflowDefinition d;
  d.tasks = {task("a")};
  d.tasks[0].approval = true;
  d.timeout = Milliseconds(5'000);
  Story s(d);
  s.start();
  s.when(Pause{});
  EXPECT_EQ(s.when(FireTimer{.kind = FireTimer::Kind::workflow}), "stale: no deadline is running: the workflow is PAUSED (wf-1)");
  s.when(Resume{});
  EXPECT_EQ(s.when(FireTimer{.kind = FireTimer::Kind::workflow}), "workflow.failed");
  EXPECT_EQ(s.when(FireTimer{.kind = FireTimer::Kind::retry, .task = TaskId("a")}),
            "stale: the end of a back-off needs no decision: the workflow is FAILED (wf-1)");
  EXPECT_EQ(s.broken, "");
}

TEST(Deadline, ClosesOpenApprovalsAndARetryAsksAnew) {  // seed 119 of the simulation
  WorkflowDefinition d;
  d.tasks = {task("a"), task("b")};
  d.tasks[0].approval = true;
  d.timeout = Milliseconds(5'000);
  Story s(d);
  s.start();
  s.when(FireTimer{.kind = FireTimer::Kind::workflow});
  s.when(FinishCancel{});
  EXPECT_EQ(s.when(RetryFailed{}), "round.opened approval.requested");
  EXPECT_EQ(s.when(Resolve{.approval = ApprovalId("a@1")}), "stale: it was resolved before (a@1)");
  EXPECT_EQ(s.when(Resolve{}), "approval.resolved");
  EXPECT_EQ(s.dispatched(), "a/2/1 b/2/1");
  EXPECT_EQ(s.broken, "");
}

}  // namespace
}  // namespace conductorai::core
