// Pause, resume, cancel, claims, retries of attempts, and the races between them.

#include <gtest/gtest.h>

#include "core/budget.hpp"
#include "tests/sim/story.hpp"

namespace conductorai::core {
namespace {

constexpr const char* kEnd = "task.completed gate.decided gate.decided gate.decided workflow.completed";

TEST(Attempts, AFailureWithRetryMakesTheNextAttemptLiveAtOnceAndDueLater) {
  Story s({task("a")});
  s.start();
  EXPECT_EQ(s.fails("a", ErrorAction::retry, Milliseconds(500)), "task.failed");
  const auto effects = outstanding(s.state);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<DispatchTask>(effects[0]).id.attempt, 2);
  EXPECT_EQ(std::get<DispatchTask>(effects[0]).not_before, s.context.now + Milliseconds(500));
  EXPECT_EQ(reason(s.state), "waiting until 1970-01-01T00:16:40.500Z to try task a again");
  EXPECT_EQ(s.completes("a"), kEnd);
  EXPECT_EQ(s.record("a").attempts, 2);
  EXPECT_EQ(s.broken, "");
}

TEST(Attempts, UsedUpAttemptsFailTheTask) {
  auto a = task("a");
  a.retry.max_attempts = 2;
  Story s({a});
  s.start();
  EXPECT_EQ(s.fails("a", ErrorAction::retry), "task.failed");
  EXPECT_EQ(s.fails("a", ErrorAction::retry), "task.failed gate.decided workflow.failed");
  EXPECT_EQ(std::get<TaskFailed>(s.events.at(0)).action, ErrorAction::escalate);
}

TEST(Attempts, AMergeConflictIsTriedAgainFromTheNewHeadWithThePathsAsFindings) {
  Story s({task("a", {}, "coding"), task("b", {}, "coding")});
  s.start();
  TaskResult b = s.result("b");
  b.commit = "c1";
  s.when(RecordResult{.result = b, .merged_head = "h1"});
  EXPECT_EQ(std::get<MoveBranch>(outstanding(s.state).at(0)).head, "h1");
  TaskResult a = s.result("a");
  a.commit = "c2";
  EXPECT_EQ(s.when(RecordResult{.result = a, .conflicts = {"x.py", "y.py"}}), "task.failed");
  EXPECT_EQ(std::get<task_state::Live>(s.record("a").machine).base, "h1");
  auto parts = assignment_parts(s.state, TaskId("a"), {});
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->findings.size(), 1U);
  EXPECT_EQ(parts->findings[0].findings[1].file, "y.py");
  EXPECT_EQ(s.completes("a"), kEnd);
  EXPECT_EQ(s.broken, "");
}

TEST(Races, TheFirstOfTwoResultsWins) {
  Story s({task("a"), task("b")});
  s.start();
  const TaskResult result = s.result("a");
  EXPECT_EQ(s.when(RecordResult{.result = result}), "task.completed");
  EXPECT_EQ(s.when(RecordResult{.result = result}), "stale: the attempt is not live (a/1/1)");
}

TEST(Races, ResultsOfAnOlderAttemptAResetRoundOrAnotherWorkflowAreRefused) {
  Story s({task("code", {}, "coding"), task("test", {"code"}, "test")});
  s.start();
  const TaskResult first = s.result("code");  // round 1, attempt 1
  s.fails("code", ErrorAction::retry);
  EXPECT_EQ(s.when(RecordResult{.result = first}), "stale: the attempt is not live (code/1/1)");
  s.completes("code");
  const TaskResult old_round = s.result("test");
  s.completes("test", Verdict::failed);
  EXPECT_EQ(s.when(RecordResult{.result = old_round}), "stale: the attempt is not live (test/1/1)");
  ASSERT_EQ(s.dispatched(), "code/2/1");
  EXPECT_EQ(s.when(RecordResult{.result = first}), "stale: the attempt is not live (code/1/1)");
  TaskResult foreign = s.result("code");
  foreign.id.workflow = WorkflowId("wf-2");
  EXPECT_EQ(s.when(RecordResult{.result = foreign}), "rejected: the result is of another workflow (wf-2)");
  EXPECT_EQ(s.completes("nobody"), "stale: the attempt is not live (nobody/1/1)");
}

TEST(Races, AResultAfterCancelIsRefused) {
  Story s({task("a")});
  s.start();
  EXPECT_EQ(s.when(Cancel{.by = "ann"}), "workflow.cancel_requested");
  EXPECT_EQ(outstanding(s.state), std::vector<Effect>{StopAttempts{}});
  EXPECT_EQ(s.completes("a"), "stale: the workflow takes no results: it is IN_PROGRESS (a/1/1)");
  EXPECT_EQ(s.when(Cancel{}), "stale: it is being cancelled: the workflow is IN_PROGRESS (wf-1)");
  EXPECT_EQ(s.when(FinishCancel{}), "workflow.cancelled");
  EXPECT_EQ(s.shown("a"), "CANCELLED");
  EXPECT_EQ(reason(s.state), "cancelled by ann");
  EXPECT_EQ(outstanding(s.state), std::vector<Effect>{CloseWorkflow{}});
  EXPECT_EQ(s.completes("a"), "stale: the workflow takes no results: it is CANCELLED (a/1/1)");
  EXPECT_EQ(s.when(FinishCancel{}), "stale: no cancel is under way: the workflow is CANCELLED (wf-1)");
  EXPECT_EQ(s.broken, "");
}

TEST(Control, CancelOfWhatRunsNothingEndsInTheSameRow) {
  auto a = task("a");
  a.approval = true;
  Story s({a});
  s.start();
  EXPECT_EQ(s.when(Cancel{.reason = "enough"}), "workflow.cancel_requested workflow.cancelled");
  EXPECT_EQ(s.broken, "");
}

namespace {
TaskDefinition cleaner(const std::string& id, std::vector<std::string> needs, const std::string& condition = "cancelled()") {
  TaskDefinition made = task(id, std::move(needs));
  made.condition = condition;
  return made;
}
}  // namespace

TEST(Cleanup, RunsWhatAsksForItOneAfterAnotherOnceAllIsStopped) {
  // `late` stands before what it needs, `fine` wants success, `going` runs already
  Story s({task("a"), task("b", {"a"}), cleaner("late", {"first"}, "always()"), cleaner("first", {"b"}),
           cleaner("fine", {"a"}, "success()"), cleaner("broken", {"a"}, "failure()"), cleaner("going", {}, "always()")});
  s.start();
  EXPECT_EQ(s.dispatched(), "a/1/1 going/1/1");
  EXPECT_EQ(s.when(Cancel{.by = "ann"}), "workflow.cancel_requested");
  EXPECT_EQ(s.when(FinishCancel{}), "workflow.cleanup_started");
  EXPECT_EQ(s.last<WorkflowCleanupStarted>().tasks, (std::vector<TaskId>{TaskId("late"), TaskId("first"), TaskId("going")}));
  EXPECT_EQ(s.dispatched(), "going/1/1") << "what asks always() goes on where it was";
  EXPECT_EQ(s.shown("a"), "CANCELLED");
  EXPECT_EQ(reason(s.state), "cleaning up: cancelled by ann");
  EXPECT_EQ(s.completes("going"), "task.completed");
  EXPECT_EQ(s.dispatched(), "first/1/1");
  EXPECT_EQ(s.when(ClaimWorkflow{"2@h"}), "workflow.claimed");
  EXPECT_EQ(s.fails("first"), "task.failed");
  EXPECT_EQ(s.dispatched(), "late/1/1");
  EXPECT_EQ(s.completes("late"), "task.completed workflow.cancelled");
  EXPECT_EQ(s.shown("late"), "COMPLETED");
  EXPECT_EQ(s.shown("first"), "FAILED");
  EXPECT_EQ(s.shown("b"), "BLOCKED");
  EXPECT_EQ(reason(s.state), "cancelled by ann");
  EXPECT_EQ(s.broken, "");
}

TEST(Cleanup, OfAPausedWorkflowBeginsWithTheCancel) {
  Story s({task("a"), cleaner("teardown", {"a"})});
  s.start();
  s.when(Pause{});
  EXPECT_EQ(s.completes("a"), "task.completed");
  EXPECT_EQ(s.when(Cancel{.by = "ann"}), "workflow.cancel_requested workflow.cleanup_started");
  EXPECT_EQ(s.dispatched(), "teardown/1/1");
  TaskResult poor = s.result("teardown");
  poor.status = ResultStatus::suspended;  // no budget is left
  EXPECT_EQ(s.when(RecordResult{.result = poor}), "task.failed workflow.cancelled");
  EXPECT_EQ(s.broken, "");
}

TEST(Cleanup, IsStoppedByASecondCancelByItsTimeAndByOwnersThatDie) {
  for (const std::string how : {"cancel", "time", "deaths"}) {
    Story s({task("a"), cleaner("teardown", {"a"}), cleaner("more", {"a"})});
    s.start();
    s.when(Cancel{.by = "ann"});
    s.when(FinishCancel{});
    ASSERT_EQ(s.dispatched(), "teardown/1/1");
    const StartTimer timer{{.kind = FireTimer::Kind::cleanup}, s.last<WorkflowCleanupStarted>().until};
    EXPECT_EQ(timer.at - s.context.now, Milliseconds(300'000));
    EXPECT_EQ(outstanding(s.state).back(), Effect{timer});
    if (how == "cancel") EXPECT_EQ(s.when(Cancel{.by = "bob"}), "workflow.cancel_requested");
    if (how == "time") EXPECT_EQ(s.when(timer.timer), "workflow.cancel_requested");
    if (how == "deaths") {
      for (int claim = 1; claim < 5; ++claim) EXPECT_EQ(s.when(ClaimWorkflow{"2@h"}), "workflow.claimed");
      EXPECT_EQ(s.when(ClaimWorkflow{"2@h"}), "workflow.claimed workflow.cancel_requested");
    }
    EXPECT_EQ(outstanding(s.state), std::vector<Effect>{StopAttempts{}}) << how;
    EXPECT_EQ(s.when(FinishCancel{}), "workflow.cancelled") << how;
    EXPECT_EQ(s.shown("teardown"), "CANCELLED");
    EXPECT_EQ(s.broken, "") << how;
  }
}

TEST(Cleanup, FollowsTheWorkflowsTimeoutToo) {
  WorkflowDefinition d;
  d.tasks = {task("a"), cleaner("teardown", {"a"}, "always()")};
  d.timeout = Milliseconds(1000);
  Story s(d);
  s.start();
  EXPECT_EQ(s.when(FireTimer{.kind = FireTimer::Kind::workflow}), "workflow.cancel_requested");
  EXPECT_EQ(s.when(FinishCancel{}), "workflow.cleanup_started");
  EXPECT_EQ(s.completes("teardown"), "task.completed workflow.failed");
  EXPECT_EQ(s.broken, "");
}

TEST(Cleanup, WaitsForNobody) {
  auto asks = cleaner("asks", {"a"});
  asks.approval = true;
  auto each = cleaner("each", {"a"}, "always()");
  each.foreach = Value(Array{"x", "y"});
  Story s({task("a"), asks, each});
  s.start();
  s.when(Cancel{});
  EXPECT_EQ(s.when(FinishCancel{}), "workflow.cleanup_started task.skipped task.expanded");
  EXPECT_EQ(s.dispatched(), "each[0]/1/1 each[1]/1/1");
  s.completes("each[0]");
  EXPECT_EQ(s.completes("each[1]"), "task.completed task.completed workflow.cancelled");
  EXPECT_EQ(s.broken, "");
}

TEST(Control, APausedWorkflowRecordsResultsAndStartsNothing) {
  Story s({task("a"), task("b", {"a"}), task("c")});
  s.start();
  EXPECT_EQ(s.when(Pause{}), "workflow.paused");
  EXPECT_TRUE(outstanding(s.state).empty());
  EXPECT_EQ(s.when(Pause{}), "stale: nothing to pause: the workflow is PAUSED (wf-1)");
  EXPECT_EQ(s.completes("a"), "task.completed");
  EXPECT_TRUE(outstanding(s.state).empty());
  EXPECT_EQ(s.when(Resume{.by = "ann"}), "workflow.resumed");
  EXPECT_EQ(s.dispatched(), "b/1/1 c/1/1");
  EXPECT_EQ(s.when(Resume{.by = "ann"}), "stale: nothing to resume: the workflow is IN_PROGRESS (wf-1)");
  EXPECT_EQ(s.broken, "");
}

TEST(Control, AGateThatWasReachedDuringAPauseIsDecidedOnResume) {
  auto b = task("b", {"a"});
  b.condition = "false";
  Story s({task("a"), b});
  s.start();
  s.when(Pause{});
  EXPECT_EQ(s.completes("a"), "task.completed");
  EXPECT_EQ(s.when(Resume{}), "workflow.resumed task.skipped gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Control, ASuspendedAttemptPausesAndStaysLive) {
  WorkflowDefinition d;
  d.tasks = {task("a")};
  d.budget.calls = 10;
  Story s(d);
  s.start();
  TaskResult result = s.result("a");
  result.status = ResultStatus::suspended;
  result.error = Error{.code = ErrorCode::budget_exhausted, .message = "calls: 10 of 10 used, 1 more asked"};
  EXPECT_EQ(s.when(RecordResult{.result = result}), "workflow.paused");
  EXPECT_EQ(reason(s.state), "task a: calls: 10 of 10 used, 1 more asked");
  EXPECT_EQ(s.last<WorkflowPaused>().kind, PauseKind::budget);
  EXPECT_EQ(s.when(RecordResult{.result = result}), "stale: the workflow is paused already (a/1/1)");
  RunOverrides overrides;
  overrides.add_budget.calls = 5;
  overrides.add_budget.tokens = 7;
  overrides.add_day_budget = BudgetDefinition{.calls = 1};
  EXPECT_EQ(s.when(Resume{.overrides = overrides}), "workflow.resumed");
  s.when(Resume{.overrides = overrides});
  EXPECT_EQ(s.dispatched(), "a/1/1");
  const Timestamp last_moment{Milliseconds(1'767'225'599'999)};  // of 2025
  const AttemptId attempt{.workflow = s.state.id, .task = TaskId("a")};
  const auto scopes = budget_scopes(budget_limits(s.state, *s.state.tasks.at(TaskId("a")).definition, {.calls = 7}), attempt,
                                    AgentType("command"), last_moment);
  ASSERT_EQ(scopes.size(), 4U);
  EXPECT_EQ(scopes[0].key, "workflow/wf-1");
  EXPECT_EQ(scopes[0].calls, 20);
  EXPECT_EQ(scopes[0].tokens, std::nullopt);  // nothing is added to no limit
  EXPECT_EQ(scopes[1].key, "task/wf-1/a");
  EXPECT_EQ(scopes[2].key, "agent/wf-1/command");
  EXPECT_EQ(scopes[3], (BudgetScope{.key = "project/2025-12-31", .calls = 9}));
  EXPECT_EQ(budget_scopes(budget_limits(s.state, *s.state.tasks.at(TaskId("a")).definition, {}), attempt, AgentType("command"),
                          last_moment + Milliseconds(1))[3],
            (BudgetScope{.key = "project/2026-01-01"}));
  EXPECT_EQ(s.broken, "");
}

TEST(Control, OverridesChangeTheDefinitionFromThenOn) {
  Story s({task("a")});
  s.start();
  RunOverrides overrides{.llm = LlmDefinition{.provider = "mock"}, .sandbox_enabled = false, .add_budget = {}};
  EXPECT_EQ(s.when(Resume{.overrides = overrides}), "workflow.resumed");
  EXPECT_EQ(s.state.definition->llm.provider, "mock");
  EXPECT_FALSE(s.state.definition->sandbox.enabled);
  EXPECT_EQ(s.broken, "");
}

TEST(Control, AnInterruptedAttemptStaysLive) {
  Story s({task("a")});
  s.start();
  TaskResult result = s.result("a");
  result.status = ResultStatus::cancelled;
  EXPECT_EQ(s.when(RecordResult{.result = result}), "stale: the attempt was interrupted and stays live (a/1/1)");
  EXPECT_EQ(s.when(ClaimWorkflow{"2@here"}), "workflow.claimed");
  EXPECT_EQ(s.last<WorkflowClaimed>().in_flight, std::vector<TaskId>{TaskId("a")});
  EXPECT_EQ(s.dispatched(), "a/1/1");
}

TEST(Control, FiveClaimsWithoutAnEventPauseAndNameWhatWasInFlight) {
  Story s({task("a"), task("b")});
  s.start();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(s.when(ClaimWorkflow{"x"}), "workflow.claimed");
  s.completes("b");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(s.when(ClaimWorkflow{"x"}), "workflow.claimed");
  EXPECT_EQ(s.when(ClaimWorkflow{"x"}), "workflow.claimed workflow.paused");
  EXPECT_EQ(reason(s.state), "5 owners in a row ended without an event; in flight was: a");
  EXPECT_EQ(s.when(ClaimWorkflow{"y"}), "workflow.claimed");
  EXPECT_EQ(s.when(Resume{}), "workflow.resumed");
  EXPECT_EQ(s.dispatched(), "a/1/1");
  EXPECT_EQ(s.broken, "");
}

TEST(Control, WaitingForAPersonIsNoCrash) {
  auto a = task("a");
  a.approval = true;
  Story s({a});
  s.start();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(s.when(ClaimWorkflow{"x"}), "workflow.claimed");
}

TEST(Control, NothingIsDoneToWhatHasEndedOrNotBegun) {
  Story s({task("a")});
  EXPECT_EQ(s.when(ClaimWorkflow{"x"}), "rejected: there is nothing to take over: the workflow is PENDING (wf-1)");
  EXPECT_EQ(s.when(Pause{}), "rejected: it can't be paused: the workflow is PENDING (wf-1)");
  s.start();
  EXPECT_EQ(s.start(), "stale: it was started before: the workflow is IN_PROGRESS (wf-1)");
  s.completes("a");
  EXPECT_EQ(s.when(Pause{}), "rejected: it can't be paused: the workflow is COMPLETED (wf-1)");
  EXPECT_EQ(s.when(Resume{}), "rejected: it can't be resumed: the workflow is COMPLETED (wf-1)");
  EXPECT_EQ(s.when(Cancel{}), "rejected: it can't be cancelled: the workflow is COMPLETED (wf-1)");
  EXPECT_EQ(s.when(Resolve{}), "rejected: approvals are closed: the workflow is COMPLETED (wf-1)");
  EXPECT_EQ(s.when(ClaimWorkflow{"x"}), "rejected: there is nothing to take over: the workflow is COMPLETED (wf-1)");
  EXPECT_EQ(s.broken, "");
}

TEST(Parking, AnImpossibleEventParksTheWorkflowWithAReason) {
  Story s({task("a")});
  s.start();
  WorkflowState state = s.state;
  evolve(state, TaskSkipped{.task = TaskId("nobody")}, s.context.now);
  EXPECT_EQ(status(state), WorkflowStatus::paused);
  EXPECT_EQ(reason(state), "event 2 (task.skipped) does not fit what the journal says before it");
  EXPECT_TRUE(outstanding(state).empty());
  auto refused = decide_and_evolve(state, Resume{}, s.context);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, ErrorCode::data_corrupted);
  EXPECT_TRUE(decide_and_evolve(state, ClaimWorkflow{"x"}, s.context));
  EXPECT_TRUE(decide_and_evolve(state, Cancel{}, s.context));
  EXPECT_TRUE(decide_and_evolve(state, FinishCancel{}, s.context));
  EXPECT_EQ(status(state), WorkflowStatus::cancelled);
}

}  // namespace
}  // namespace conductorai::core
