// A task for each item: expansion, slots, the parent's end, rounds that reach into it.

#include <gtest/gtest.h>

#include "tests/sim/story.hpp"

namespace conductorai::core {
namespace {

TaskDefinition each(Value items, int max_parallel = 0) {
  auto made = task("each");
  made.foreach = std::move(items);
  made.max_parallel = max_parallel;
  made.with = {{"name", "${{ foreach.item.name }}"}};
  return made;
}
Array three() {
  return {Object{{"name", "x"}}, Object{{"name", "y"}}, Object{{"name", "z"}}};
}

TEST(Foreach, MakesATaskForEachItemInTheOrderOfTheDefinition) {
  Story s({task("before"), each(three()), task("after", {"each"})});
  EXPECT_EQ(s.start(), "workflow.started task.expanded");
  EXPECT_EQ(s.dispatched(), "before/1/1 each[0]/1/1 each[1]/1/1 each[2]/1/1");
  EXPECT_EQ(s.state.order.at(2), TaskId("each[0]"));
  EXPECT_EQ(assignment_parts(s.state, TaskId("each[1]"), {})->task->with.at("name"), Value("y"));
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, RunsAsManyAtOnceAsItMay) {
  Story s({each(three(), 2), task("after", {"each"})});
  s.start();
  EXPECT_EQ(s.dispatched(), "each[0]/1/1 each[1]/1/1");
  s.fails("each[1]", ErrorAction::retry, Milliseconds(10));
  EXPECT_EQ(s.dispatched(), "each[0]/1/1 each[1]/1/2");  // a back-off keeps its slot
  s.completes("each[0]");
  EXPECT_EQ(s.dispatched(), "each[1]/1/2 each[2]/1/1");
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, ThePauseHoldsTheNextOneBack) {
  Story s({each(three(), 1)});
  s.start();
  s.when(Pause{});
  s.completes("each[0]");
  s.when(Resume{});
  EXPECT_EQ(s.dispatched(), "each[1]/1/1");
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, TheParentEndsInTheRowOfItsLastChild) {
  Story s({each(three()), task("after", {"each"})});
  s.start();
  s.completes("each[2]", Verdict::passed, {{"n", 3}});
  s.completes("each[0]", Verdict::passed, {{"n", 1}});
  EXPECT_EQ(s.completes("each[1]", Verdict::none, {{"n", 2}}), "task.completed task.completed");
  EXPECT_EQ(s.record("each").outputs->at("items"), Value(Array{Object{{"n", 1}}, Object{{"n", 2}}, Object{{"n", 3}}}));
  EXPECT_EQ(s.last<TaskCompleted>().verdict, Verdict::passed);
  EXPECT_EQ(s.last<TaskCompleted>().evidence.size(), 2U);
  EXPECT_EQ(s.dispatched(), "after/1/1");
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, OverNothingCompletesAtOnce) {
  Story s({each(Array{}), task("after", {"each"})});
  EXPECT_EQ(s.start(), "workflow.started task.expanded task.completed");
  EXPECT_EQ(s.dispatched(), "after/1/1");
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, TakesItsItemsFromAnExpression) {
  auto made = each(Value("${{ tasks.list.outputs.files }}"));
  made.needs = {TaskId("list")};
  Story s({task("list"), made});
  s.start();
  EXPECT_EQ(s.completes("list", Verdict::none, {{"files", three()}}), "task.completed task.expanded");
  Story wrong({task("list"), made});
  wrong.start();
  EXPECT_EQ(wrong.completes("list", Verdict::none, {{"files", "text"}}), "task.completed task.failed gate.decided workflow.failed");
  EXPECT_EQ(reason(wrong.state), "task each failed: foreach of task each: it yields no list");
}

TEST(Foreach, AFailedChildFailsTheParentAndARetryRunsThatChildAlone) {
  Story s({each(three())});
  s.start();
  s.completes("each[0]", Verdict::none, {{"n", 1}}), s.fails("each[1]");
  EXPECT_EQ(s.completes("each[2]"), "task.completed task.failed gate.decided workflow.failed");
  EXPECT_EQ(reason(s.state), "task each failed: task each[1] failed: it broke");
  EXPECT_EQ(s.when(RetryFailed{}), "round.opened");
  EXPECT_EQ(s.dispatched(), "each[1]/2/1");
  EXPECT_EQ(s.completes("each[1]"), "task.completed task.completed gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.record("each").outputs->at("items").as_array()->at(0), Value(Object{{"n", 1}}));
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, ChildrenThatMayFailLeaveAGap) {
  auto made = each(three());
  made.continue_on_error = true;
  Story s({made});
  s.start();
  s.completes("each[0]"), s.fails("each[1]");
  EXPECT_EQ(s.completes("each[2]"), "task.completed task.completed gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_TRUE(s.record("each").outputs->at("items").as_array()->at(1).is_null());
}

TEST(Foreach, AFailedVerdictOfAChildRunsTheChildAgainWhereNothingUpstreamIsToBlame) {
  Story s({each(three()), task("after", {"each"})});
  s.start();
  s.completes("each[0]", Verdict::passed), s.completes("each[2]", Verdict::passed);
  EXPECT_EQ(s.completes("each[1]", Verdict::failed), "task.completed task.completed gate.decided round.opened");
  EXPECT_EQ(s.dispatched(), "each[1]/2/1");
  EXPECT_EQ(assignment_parts(s.state, TaskId("each[1]"), {})->findings.size(), 1U);
  s.completes("each[1]", Verdict::passed);
  EXPECT_EQ(s.dispatched(), "after/2/1");
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, AnUpstreamCodingTaskIsReworkedAndTheWholeIsExpandedAnew) {
  auto made = each(Value("${{ tasks.code.outputs.files }}"));
  made.needs = {TaskId("code")};
  Story s({task("code", {}, "coding"), made});
  s.start();
  s.completes("code", Verdict::none, {{"files", three()}});
  s.completes("each[0]", Verdict::passed), s.completes("each[1]", Verdict::failed);
  const TaskResult old = s.result("each[2]", Verdict::passed);
  s.when(RecordResult{.result = old});
  EXPECT_EQ(s.last<RoundOpened>().target, TaskId("code"));
  EXPECT_EQ(s.dispatched(), "code/2/1");
  EXPECT_EQ(s.when(RecordResult{.result = old}), "stale: the attempt is not live (each[2]/1/1)");
  s.completes("code", Verdict::none, {{"files", Array{Object{{"name", "only"}}}}});
  EXPECT_EQ(s.dispatched(), "each[0]/2/1");
  EXPECT_EQ(s.completes("each[0]", Verdict::passed),
            "task.completed task.completed gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, AVerdictOfAChildWithoutEvidenceNeverPassesTheGate) {
  Story s({each(three())});
  s.start();
  s.completes("each[0]", Verdict::passed), s.completes("each[1]", Verdict::passed);
  TaskResult bare = s.result("each[2]", Verdict::passed);
  bare.evidence.clear();
  EXPECT_EQ(s.when(RecordResult{.result = bare}), "task.completed task.completed gate.decided workflow.failed");
  s.when(RetryFailed{});
  EXPECT_EQ(s.dispatched(), "each[2]/2/1");
}

TEST(Foreach, AForgivenParentDoesNotHideAChildWithoutEvidence) {  // seed 2532 of the simulation
  auto made = each(three());
  made.continue_on_error = true;
  Story s({made});
  s.start();
  s.completes("each[0]", Verdict::failed), s.completes("each[1]", Verdict::passed);
  TaskResult bare = s.result("each[2]", Verdict::passed);
  bare.evidence.clear();
  EXPECT_EQ(s.when(RecordResult{.result = bare}), "task.completed task.completed gate.decided workflow.failed");
}

TEST(Foreach, OneApprovalAndOneConditionStandForAllChildren) {
  auto made = each(three());
  made.approval = true;
  made.condition = "inputs.go";
  WorkflowDefinition d;
  d.inputs = {{"go", true}};
  d.tasks = {made};
  Story s(d);
  EXPECT_EQ(s.start(), "workflow.started approval.requested");
  EXPECT_EQ(s.when(Resolve{}), "approval.resolved task.expanded");
  EXPECT_EQ(s.broken, "");
}

TEST(Foreach, CancelReachesChildrenThatHadNoSlotYet) {
  Story s({each(three(), 1)});
  s.start();
  s.when(Cancel{});
  s.when(FinishCancel{});
  EXPECT_EQ(s.shown("each[2]"), "CANCELLED");
  EXPECT_EQ(s.shown("each"), "CANCELLED");
  EXPECT_EQ(s.broken, "");
}

}  // namespace
}  // namespace conductorai::core
