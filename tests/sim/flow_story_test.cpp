// How work flows: readiness, conditions, skips, blocks, gates of phases.

#include <gtest/gtest.h>

#include "core/codec.hpp"
#include "tests/sim/story.hpp"

namespace conductorai::core {
namespace {

constexpr const char* kEnd = "task.completed gate.decided gate.decided gate.decided workflow.completed";

TEST(Flow, AChainOfSevenTasksOverThreePhasesIsEightRows) {
  Story s({task("code", {}, "coding"), task("review", {"code"}, "review"), task("data", {"review"}, "test_data"),
           task("test", {"data"}, "test"), task("package", {"test"}, "devops"), task("deploy", {"package"}, "deploying"),
           task("monitor", {"deploy"}, "monitor")});
  EXPECT_EQ(s.start(), "workflow.started");
  for (const char* id : {"code", "review", "data"}) EXPECT_EQ(s.completes(id, Verdict::passed), "task.completed");
  EXPECT_EQ(s.completes("test", Verdict::passed), "task.completed gate.decided");
  EXPECT_EQ(s.completes("package", Verdict::passed), "task.completed");
  EXPECT_EQ(s.completes("deploy", Verdict::passed), "task.completed gate.decided");
  EXPECT_EQ(s.completes("monitor", Verdict::passed), "task.completed gate.decided workflow.completed");
  EXPECT_EQ(s.rows.size(), 8U);
  EXPECT_EQ(status(s.state), WorkflowStatus::completed);
  EXPECT_EQ(s.broken, "");
}

TEST(Flow, StartsAllThatNeedsNothingAndWaitsForTheRest) {
  Story s({task("a"), task("b"), task("c", {"a", "b"})});
  s.start();
  EXPECT_EQ(s.dispatched(), "a/1/1 b/1/1");
  s.completes("a");
  EXPECT_EQ(s.dispatched(), "b/1/1");
  s.completes("b");
  EXPECT_EQ(s.dispatched(), "c/1/1");
  EXPECT_EQ(s.completes("c"), kEnd);
  EXPECT_EQ(s.broken, "");
}

TEST(Flow, AWorkflowWithoutTasksCompletesAtOnce) {
  Story s(std::vector<TaskDefinition>{});
  EXPECT_EQ(s.start(), "workflow.started gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(s.broken, "");
}

TEST(Flow, ALaterPhaseWaitsForTheGateBeforeItEvenWithoutNeeds) {
  Story s({task("code", {}, "coding"), task("watch", {}, "monitor")});
  s.start();
  EXPECT_EQ(s.dispatched(), "code/1/1");
  EXPECT_EQ(s.completes("code", Verdict::passed), "task.completed gate.decided gate.decided");
  EXPECT_EQ(s.dispatched(), "watch/1/1");
  EXPECT_EQ(s.state.phase, Phase::monitoring);
}

TEST(Flow, AFalseConditionSkipsTheTaskAndWhatNeedsIt) {
  auto b = task("b", {"a"});
  b.condition = "tasks.a.outputs.go == 'yes'";
  auto d = task("d", {"c"});
  d.condition = "always()";
  Story s({task("a"), b, task("c", {"b"}), d});
  s.start();
  EXPECT_EQ(s.completes("a", Verdict::none, {{"go", "no"}}), "task.completed task.skipped task.skipped");
  EXPECT_EQ(std::get<task_state::Skipped>(s.record("b").machine).reason, "its condition is false: tasks.a.outputs.go == 'yes'");
  EXPECT_EQ(std::get<task_state::Skipped>(s.record("c").machine).reason, "task b, which it needs, was skipped");
  EXPECT_EQ(s.dispatched(), "d/1/1");
  EXPECT_EQ(s.completes("d"), kEnd);
  EXPECT_EQ(s.broken, "");
}

TEST(Flow, SkippingSpreadsOverAPassedGate) {
  auto deploy = task("deploy", {}, "deploying");
  deploy.condition = "false";
  Story s({task("code"), deploy, task("monitor", {"deploy"}, "monitor")});
  s.start();
  EXPECT_EQ(s.completes("code"), "task.completed gate.decided task.skipped gate.decided task.skipped gate.decided workflow.completed");
}

TEST(Flow, AConditionThatCannotBeEvaluatedFailsTheTask) {
  auto b = task("b", {"a"});
  b.condition = "foreach.item == 1";
  Story s({task("a"), b});
  s.start();
  EXPECT_EQ(s.completes("a"), "task.completed task.failed gate.decided workflow.failed");
  EXPECT_EQ(reason(s.state), "task b failed: the condition of task b: foreach.item is known only inside a task with `foreach`");
  EXPECT_EQ(s.broken, "");
}

TEST(Flow, DependentsOfAFailedTaskAreBlockedWhileSiblingsRunToTheirEnd) {
  Story s({task("a"), task("b", {"a"}), task("c", {"b"}), task("sibling")});
  s.start();
  EXPECT_EQ(s.fails("a"), "task.failed");
  EXPECT_EQ(s.shown("b"), "BLOCKED");
  EXPECT_EQ(s.shown("c"), "BLOCKED");
  EXPECT_EQ(s.dispatched(), "sibling/1/1");
  EXPECT_EQ(s.completes("sibling"), "task.completed gate.decided workflow.failed");
  EXPECT_EQ(reason(s.state), "task a failed: it broke");
  EXPECT_EQ(s.broken, "");
}

TEST(Flow, CleanupRunsAfterAFailureFurtherUp) {
  auto cleanup = task("cleanup", {"b"});
  cleanup.condition = "failure()";
  auto never = task("never", {"sibling"});
  never.condition = "failure()";
  Story s({task("a"), task("b", {"a"}), cleanup, task("sibling"), never});
  s.start();
  s.fails("a");
  EXPECT_EQ(s.dispatched(), "cleanup/1/1 sibling/1/1");
  EXPECT_EQ(s.completes("sibling"), "task.completed task.skipped");
  EXPECT_EQ(s.completes("cleanup"), "task.completed gate.decided workflow.failed");
}

TEST(Flow, ContinueOnErrorForgivesFailuresAndVerdicts) {
  auto lint = task("lint");
  lint.continue_on_error = true;
  auto style = lint;
  style.id = TaskId("style");
  Story s({lint, style, task("after", {"lint", "style"})});
  s.start();
  s.fails("lint");
  EXPECT_EQ(s.last<TaskFailed>().action, ErrorAction::skip);
  s.completes("style", Verdict::failed);
  EXPECT_EQ(s.dispatched(), "after/1/1");
  EXPECT_EQ(s.completes("after"), kEnd);
  EXPECT_EQ(s.state.warnings,
            (std::vector<std::string>{"task lint failed and was tolerated: it broke", "task style has a failed verdict: "}));
  EXPECT_EQ(s.broken, "");
}

TEST(Flow, DeclaredOutputsAreEvaluatedWhenTheTaskCompletes) {
  auto a = task("a");
  a.outputs = {{"label", "v${{ tasks.a.outputs.n }}-${{ env.TZ }}"}, {"list", "${{ inputs.list }}"}};
  auto b = task("b", {"a"});
  b.with = {{"label", "${{ tasks.a.outputs.label }}"}, {"list", Array{"${{ tasks.a.outputs.list }}"}}};
  WorkflowDefinition definition;
  definition.inputs = {{"list", Array{1, 2}}};
  definition.tasks = {a, b};
  Story s(definition);
  s.context.env = {{"TZ", "UTC"}};
  s.start();
  s.completes("a", Verdict::none, {{"n", 3}});
  auto parts = assignment_parts(s.state, TaskId("b"), {});
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->task->with, (Object{{"label", "v3-UTC"}, {"list", Array{Value(Array{1, 2})}}}));
  EXPECT_EQ(parts->upstream.at(TaskId("a"))->at("n"), Value(3));
}

TEST(Flow, RefusesADefinitionItCannotRun) {
  auto self = task("a", {"b"});
  EXPECT_EQ(Story({self, task("b", {"a"})}).start(), "rejected: it needs itself, by way of others or directly (tasks.a)");
  EXPECT_EQ(Story({task("a", {"x"})}).start(), "rejected: it needs task x, which is not there (tasks.a)");
  EXPECT_EQ(Story({task("a"), task("a")}).start(), "rejected: the task's id is not unique (tasks.a)");
  EXPECT_EQ(Story({task("a[0]")}).start(), "rejected: a task's id has none of the characters [ ] / @ (tasks.a[0])");
  auto early = task("early", {"ship"});
  early.phase = Phase::development;
  EXPECT_EQ(Story({task("ship", {}, "devops"), early}).start(),
            "rejected: it is of phase DEVELOPMENT and needs task ship of the later phase DEVOPS (tasks.early)");
  auto odd = task("odd");
  odd.condition = "1 ==";
  EXPECT_EQ(Story({odd}).start(), "rejected: if: the expression is wrong: it ends where a value is expected (column 5) (tasks.odd)");
}

TEST(Flow, PhasesFollowKeyThenAgentThenNeeds) {
  WorkflowDefinition d;
  d.tasks = {task("ship", {}, "devops"), task("smoke", {"ship"}, "test"), task("check", {"smoke"}), task("lone"),
             task("code", {}, "coding")};
  auto phases = phases_of(d);
  EXPECT_EQ(phases.at(TaskId("smoke")), Phase::devops);  // its needs are later than a test usually is
  EXPECT_EQ(phases.at(TaskId("check")), Phase::devops);
  EXPECT_EQ(phases.at(TaskId("lone")), Phase::development);
  EXPECT_EQ(phase_of(d, d.tasks[2]), Phase::devops);
}

TEST(Flow, ALongBlockedChainNeedsNoStack) {
  std::vector<TaskDefinition> tasks{task("t0")};
  for (int i = 1; i < 10'000; ++i) tasks.push_back(task("t" + std::to_string(i), {"t" + std::to_string(i - 1)}));
  WorkflowDefinition definition;
  definition.tasks = std::move(tasks);
  WorkflowState state = initial_state(WorkflowId("wf-1"), std::make_shared<const WorkflowDefinition>(std::move(definition)));
  ASSERT_TRUE(decide_and_evolve(state, StartWorkflow{}, {}));
  TaskResult failed{.id = {WorkflowId("wf-1"), TaskId("t0"), 1, 1}, .status = ResultStatus::failed};
  ASSERT_TRUE(decide_and_evolve(state, RecordResult{.result = failed}, {}));
  EXPECT_EQ(status(state), WorkflowStatus::failed);
  EXPECT_EQ(status(state, state.tasks.at(TaskId("t9999"))), TaskStatus::blocked);
}

}  // namespace
}  // namespace conductorai::core
