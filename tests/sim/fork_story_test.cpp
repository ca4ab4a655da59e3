// Forks: a workflow that begins with what another one's journal says up to a point.

#include <gtest/gtest.h>

#include "core/codec.hpp"
#include "core/fork.hpp"
#include "tests/sim/story.hpp"

namespace conductorai::core {
namespace {

/// The events of all rows of a story.
std::vector<Event> events_of(const Story& story) {
  std::vector<Event> events;
  for (const std::string& row : story.rows) {
    auto decoded = decode_row(row);
    EXPECT_TRUE(decoded);
    events.insert(events.end(), decoded->events.begin(), decoded->events.end());
  }
  return events;
}

ForkWorkflow fork_of(const Story& story, std::uint64_t seq) {
  const std::vector<Event> events = events_of(story);
  auto kept = events_before(events, seq, WorkflowId("wf-1"), Timestamp(Milliseconds(9'000'000)));
  EXPECT_TRUE(kept) << to_string(kept.error());
  return {.started = std::get<WorkflowStarted>(events.front()),
          .forked = {.workflow = WorkflowId("wf-0"), .seq = seq, .by = "ann"},
          .kept = kept.value_or(std::vector<Event>())};
}

std::uint64_t first_result(const Story& story, const std::string& task) {
  return first_result_of(events_of(story), TaskId(task)).value_or(0);
}

std::vector<TaskDefinition> code_review_test() {
  return {task("code", {}, "coding"), task("review", {"code"}, "review"), task("test", {"code"}, "test"), task("pack", {"review", "test"})};
}

TEST(Fork, FromATaskKeepsWhatWasRecordedBeforeItsLatestResultAndRunsTheRest) {
  Story parent(code_review_test());
  parent.start();
  TaskResult coded = parent.result("code");
  coded.commit = "c1";
  coded.usage.calls = 3;
  parent.when(RecordResult{.result = coded, .merged_head = "h1"});
  parent.completes("review", Verdict::passed, {{"note", "fine"}});
  parent.completes("test", Verdict::passed);
  parent.completes("pack");
  ASSERT_EQ(status(parent.state), WorkflowStatus::completed);

  Story fork(code_review_test());
  EXPECT_EQ(fork.when(fork_of(parent, first_result(parent, "test"))), "workflow.started workflow.forked task.completed task.completed");
  EXPECT_EQ(fork.last<WorkflowForked>().tasks, (std::vector<TaskId>{TaskId("code"), TaskId("review")}));
  EXPECT_EQ(fork.state.origin->workflow, WorkflowId("wf-0"));
  EXPECT_EQ(fork.dispatched(), "test/1/1");
  EXPECT_EQ(fork.state.head, "h1");
  EXPECT_EQ(std::get<MoveBranch>(outstanding(fork.state).at(0)).head, "h1") << "its own branch is owed";
  EXPECT_EQ(fork.record("review").outputs->at("note"), Value("fine"));
  EXPECT_EQ(fork.state.usage, Usage{}) << "what stands was paid by the other one";
  EXPECT_EQ(fork.completes("test", Verdict::passed), "task.completed");
  EXPECT_EQ(fork.completes("pack"), "task.completed gate.decided gate.decided gate.decided workflow.completed");
  EXPECT_EQ(fork.broken, "");
}

TEST(Fork, FromTheStartKeepsNothing) {
  Story parent(code_review_test());
  parent.start();
  parent.completes("code");
  Story fork(code_review_test());
  EXPECT_EQ(fork.when(fork_of(parent, 1)), "workflow.started workflow.forked");
  EXPECT_TRUE(fork.last<WorkflowForked>().tasks.empty());
  EXPECT_EQ(fork.dispatched(), "code/1/1");
  EXPECT_EQ(fork.broken, "");
}

TEST(Fork, OfALaterRoundHasItsFeedbackAndTheRoundsBefore) {
  Story parent(code_review_test());
  parent.start();
  parent.completes("code");
  parent.completes("review", Verdict::passed);
  TaskResult failed = parent.result("test", Verdict::failed);
  failed.feedback = FeedbackPayload{.from = TaskId("test"), .summary = "it does not add"};
  parent.when(RecordResult{.result = failed});
  ASSERT_EQ(parent.dispatched(), "code/2/1");
  parent.completes("code");
  parent.completes("review", Verdict::passed);
  parent.completes("test", Verdict::passed);
  parent.completes("pack");

  Story fork(code_review_test());
  fork.when(fork_of(parent, first_result(parent, "code")));
  EXPECT_EQ(fork.dispatched(), "code/2/1");
  EXPECT_EQ(fork.state.round, 2);
  auto parts = assignment_parts(fork.state, TaskId("code"), {});
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->findings.size(), 1U);
  EXPECT_EQ(parts->findings[0].summary, "it does not add");
  EXPECT_EQ(fork.broken, "");
}

TEST(Fork, BetweenEventsOfOneRowDecidesAnewWhatFollowed) {
  Story parent(code_review_test());
  parent.start();
  for (const char* id : {"code", "review", "test"}) parent.completes(id, Verdict::passed);
  EXPECT_EQ(parent.completes("pack"), "task.completed gate.decided gate.decided gate.decided workflow.completed");
  for (const std::uint64_t seq : {6, 7, 8, 9}) {
    Story fork(code_review_test());
    EXPECT_EQ(fork.when(fork_of(parent, seq)),
              "workflow.started workflow.forked task.completed task.completed task.completed task.completed gate.decided gate.decided "
              "gate.decided workflow.completed")
        << seq;
    EXPECT_EQ(fork.broken, "");
  }
}

TEST(Fork, TakesNeitherOwnersNorPausesNorAddedBudgetsButTheModelThatWasChosen) {
  Story parent(code_review_test());
  parent.start();
  parent.completes("code");
  parent.when(Pause{});
  parent.completes("review", Verdict::passed);
  parent.when(ClaimWorkflow{"2@h"});
  RunOverrides overrides;
  overrides.llm = LlmDefinition{.provider = "mock"};
  overrides.add_budget.calls = 7;
  overrides.add_day_budget = BudgetDefinition{.calls = 8};
  parent.when(Resume{"ann", overrides});
  parent.when(Pause{});
  const auto everything = static_cast<std::uint64_t>(events_of(parent).size()) + 1;
  Story fork(code_review_test());
  EXPECT_EQ(fork.when(fork_of(parent, everything)), "workflow.started workflow.forked task.completed task.completed workflow.resumed");
  EXPECT_EQ(fork.dispatched(), "test/1/1") << "it goes on where the other one was paused";
  EXPECT_EQ(fork.state.definition->llm.provider, "mock");
  EXPECT_EQ(fork.state.overrides.add_budget, BudgetDefinition{});
  EXPECT_FALSE(fork.state.overrides.add_day_budget);
  EXPECT_EQ(fork.broken, "");
}

TEST(Fork, OfAFailedOneRunsTheFailedTaskAgain) {
  Story parent(code_review_test());
  parent.start();
  parent.completes("code");
  parent.completes("review", Verdict::passed);
  EXPECT_EQ(parent.fails("test"), "task.failed gate.decided workflow.failed");
  Story fork(code_review_test());
  ForkWorkflow wish = fork_of(parent, first_result(parent, "test"));
  wish.overrides.llm = LlmDefinition{.provider = "mock"};
  EXPECT_EQ(fork.when(wish), "workflow.started workflow.forked task.completed task.completed workflow.resumed");
  EXPECT_EQ(fork.dispatched(), "test/1/1");
  EXPECT_EQ(fork.state.definition->llm.provider, "mock");
  EXPECT_EQ(fork.broken, "");

  Story decided(code_review_test());
  EXPECT_EQ(decided.when(fork_of(parent, 6)),
            "workflow.started workflow.forked task.completed task.completed task.failed gate.decided workflow.failed")
      << "a gate that was not passed, without what followed from it";
  EXPECT_EQ(decided.broken, "");
  Story late(code_review_test());
  EXPECT_EQ(late.when(fork_of(parent, 7)), "rejected: the workflow had ended before event 7, or was being cancelled (wf-0)");
  EXPECT_EQ(late.broken, "");
}

TEST(Fork, OfARetriedOneGoesThroughItsFailure) {
  Story parent(code_review_test());
  parent.start();
  parent.completes("code");
  parent.completes("review", Verdict::passed);
  parent.fails("test");
  parent.when(RetryFailed{"ann", {}});
  parent.completes("test", Verdict::passed);
  Story fork(code_review_test());
  fork.when(fork_of(parent, first_result(parent, "test")));
  EXPECT_EQ(fork.dispatched(), "test/2/1");
  EXPECT_EQ(fork.broken, "");
}

TEST(Fork, AsksAnewForApprovalsThatWereNotGivenAndGivesOpenOnesTheirTime) {
  WorkflowDefinition definition{.name = "story", .tasks = {task("a"), task("b", {"a"})}};
  definition.tasks[1].approval = true;
  definition.policies.approval_timeout = Milliseconds(1'000);
  Story parent(definition);
  parent.start();
  EXPECT_EQ(parent.completes("a"), "task.completed approval.requested");
  parent.when(Resolve{.approve = true, .by = "ann"});
  parent.completes("b");

  Story before(definition);  // the approval is the first of b's results
  EXPECT_EQ(before.when(fork_of(parent, first_result(parent, "b"))), "workflow.started workflow.forked task.completed approval.requested");
  Story open(definition);
  EXPECT_EQ(open.when(fork_of(parent, first_result(parent, "b") + 1)),
            "workflow.started workflow.forked task.completed approval.requested");
  EXPECT_EQ(open.last<ApprovalRequested>().expires_at, Timestamp(Milliseconds(9'000'000)));
  Story given(definition);
  given.when(fork_of(parent, first_result(parent, "b") + 2));
  EXPECT_EQ(given.dispatched(), "b/1/1");
  for (const Story* story : {&before, &open, &given}) EXPECT_EQ(story->broken, "");
}

TEST(Fork, OfAForkIsAFork) {
  Story parent(code_review_test());
  parent.start();
  parent.completes("code");
  parent.completes("review", Verdict::passed);
  Story child(code_review_test());
  child.when(fork_of(parent, first_result(parent, "review")));
  child.completes("review", Verdict::passed);
  Story grandchild(code_review_test());
  EXPECT_EQ(grandchild.when(fork_of(child, first_result(child, "review"))), "workflow.started workflow.forked task.completed");
  EXPECT_EQ(grandchild.dispatched(), "review/1/1 test/1/1");
  EXPECT_EQ(grandchild.broken, "");
}

TEST(Fork, FromAChildOfAForeachKeepsTheItemsAndTheOtherChildren) {
  auto many = task("many");
  many.foreach = Value(Array{Value("x"), Value("y"), Value("z")});
  many.max_parallel = 1;
  Story parent({many, task("after", {"many"})});
  parent.start();
  for (const char* id : {"many[0]", "many[1]", "many[2]"}) parent.completes(id);
  parent.completes("after");
  Story fork({many, task("after", {"many"})});
  fork.when(fork_of(parent, first_result(parent, "many[1]")));
  EXPECT_EQ(fork.dispatched(), "many[1]/1/1");
  EXPECT_EQ(fork.shown("many[0]"), "COMPLETED");
  EXPECT_EQ(fork.broken, "");
}

TEST(Fork, BehindTheLastChildOfAForeachEndsTheForeach) {
  auto many = task("many");
  many.foreach = Value(Array{Value("x"), Value("y")});
  Story parent({many, task("after", {"many"})});
  parent.start();
  for (const char* id : {"many[0]", "many[1]"}) parent.completes(id);
  Story fork({many, task("after", {"many"})});
  fork.when(fork_of(parent, first_result(parent, "many[1]") + 1));
  EXPECT_EQ(fork.shown("many"), "COMPLETED");
  EXPECT_EQ(fork.dispatched(), "after/1/1");
  EXPECT_EQ(fork.broken, "");
}

TEST(Fork, RefusesPointsThatAreNone) {
  Story parent(code_review_test());
  parent.start();
  const auto events = events_of(parent);
  EXPECT_EQ(first_result_of(events, TaskId("test")).error().code, ErrorCode::not_found);
  EXPECT_EQ(first_result_of(events, TaskId("nobody")).error().code, ErrorCode::not_found);
  for (const std::uint64_t seq : {0U, 3U, 99U})
    EXPECT_EQ(events_before(events, seq, WorkflowId("wf-1"), {}).error().code, ErrorCode::invalid_argument) << seq;
  Story twice(code_review_test());
  twice.start();
  EXPECT_EQ(twice.when(fork_of(parent, 1)), "stale: it was started before: the workflow is IN_PROGRESS (wf-1)");
}

}  // namespace
}  // namespace conductorai::core
