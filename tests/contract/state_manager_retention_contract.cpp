// Retention: an ended workflow goes as a whole, and what it cost stays with the project.

#include "tests/contract/state_manager_contract.hpp"

namespace conductorai::test {
namespace {

TEST_P(StateManagerRetention, RemovesAllOfAnEndedWorkflowAndNothingOfOthers) {
  for (const char* id : {"wf-a", "wf-ab"}) {
    begin(id);
    answered(id);
    EXPECT_TRUE(run(states->post_command(WorkflowId(id), "pause")));
    EXPECT_TRUE(run(states->put_dead_letter({.channel = "c", .reason = "expired", .message = "m", .workflow = WorkflowId(id)})));
  }
  ends("wf-a");
  ends("wf-ab");
  EXPECT_TRUE(run(states->remove_workflow(WorkflowId("wf-a"))));
  EXPECT_EQ(code(run(states->get(WorkflowId("wf-a")))), ErrorCode::not_found);
  EXPECT_TRUE(run(states->load(WorkflowId("wf-a"), 1, 0)).value().empty());
  EXPECT_TRUE(run(states->list_steps(WorkflowId("wf-a"))).value().empty());
  EXPECT_TRUE(run(states->load_steps(step("wf-a", "1").id.attempt)).value().empty());
  EXPECT_TRUE(run(states->commands(WorkflowId("wf-a"))).value().empty());
  for (const char* scope : {"workflow/wf-a", "task/wf-a/code", "agent/wf-a/coding"}) EXPECT_EQ(use(scope), BudgetUse{}) << scope;
  EXPECT_EQ(code(run(states->post_command(WorkflowId("wf-a"), "retry"))), ErrorCode::not_found);

  const auto listed = run(states->list({})).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id.value, "wf-ab");
  EXPECT_EQ(run(states->load(WorkflowId("wf-ab"), 1, 0)).value().size(), 2U);
  EXPECT_EQ(run(states->list_steps(WorkflowId("wf-ab"))).value().size(), 1U);
  EXPECT_EQ(run(states->commands(WorkflowId("wf-ab"))).value().size(), 1U);
  for (const char* scope : {"workflow/wf-ab", "task/wf-ab/code", "agent/wf-ab/coding"}) EXPECT_EQ(use(scope).spent.calls, 1) << scope;
  const auto letters = run(states->dead_letters()).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].workflow.value, "wf-ab");
}

TEST_P(StateManagerRetention, WhatItUsedStillCountsToTheDay) {
  begin("wf-a");
  answered("wf-a");
  ends("wf-a");
  const BudgetUse before = use(kDay);
  EXPECT_EQ(before.spent, (Amounts{.usd_micros = 7, .tokens = 15, .calls = 1, .wall_ms = 20}));
  EXPECT_EQ(removed("wf-a"), ErrorCode::internal);  // no error
  EXPECT_EQ(use(kDay), before);
}

TEST_P(StateManagerRetention, AStepThatIsStillOutCountsInFullAndALateEndOfItIsRefused) {
  begin("wf-a");
  EXPECT_TRUE(run(states->begin_step(step("wf-a", "1"))));
  EXPECT_TRUE(run(states->begin_step(step("wf-a", "1"))));  // the first try is hidden and charged, the second is out
  ends("wf-a", WorkflowStatus::cancelled);
  EXPECT_EQ(use(kDay).reserved, (Amounts{.usd_micros = 100, .tokens = 1'000, .calls = 1, .wall_ms = 60'000}));
  EXPECT_TRUE(run(states->remove_workflow(WorkflowId("wf-a"))));
  EXPECT_EQ(use(kDay), (BudgetUse{{.usd_micros = 200, .tokens = 2'000, .calls = 2, .wall_ms = 120'000}, {}}));
  EXPECT_EQ(code(run(states->finish_step({.id = step("wf-a", "1").id, .try_number = 2, .epoch = 1}))), ErrorCode::not_found);
  EXPECT_EQ(use(kDay).spent.calls, 2);
}

TEST_P(StateManagerRetention, RefusesWhatHasNotEndedOrWasNotReleased) {
  EXPECT_EQ(removed("wf-none"), ErrorCode::not_found);
  begin("wf-a");
  EXPECT_EQ(removed("wf-a"), ErrorCode::conflict) << "it runs";
  EXPECT_TRUE(run(states->release(WorkflowId("wf-a"))));
  EXPECT_EQ(removed("wf-a"), ErrorCode::conflict) << "it can be resumed";
  auto paused = request("wf-a", 2);
  paused.summary.status = WorkflowStatus::paused;
  EXPECT_TRUE(run(states->append(paused)));
  EXPECT_EQ(removed("wf-a"), ErrorCode::conflict) << "it is paused";

  begin("wf-b");
  auto last = request("wf-b", 2);
  last.summary.status = WorkflowStatus::failed;
  EXPECT_TRUE(run(states->append(last)));
  EXPECT_EQ(removed("wf-b"), ErrorCode::conflict) << "its owner lives";
  attach_other();
  EXPECT_EQ(code(run(other->remove_workflow(WorkflowId("wf-b")))), ErrorCode::conflict);
  store->crash(std::move(states));
  EXPECT_EQ(code(run(other->remove_workflow(WorkflowId("wf-b")))), ErrorCode::conflict) << "its owner left something undone";
  EXPECT_TRUE(run(other->claim(WorkflowId("wf-b"), "2@here")));
  EXPECT_TRUE(run(other->release(WorkflowId("wf-b"))));
  EXPECT_TRUE(run(other->remove_workflow(WorkflowId("wf-b"))));
}

TEST_P(StateManagerRetention, RemembersWhatItRemovedUntilNothingIsLeftElsewhere) {
  EXPECT_TRUE(removals().empty());
  for (const char* id : {"wf-a", "wf-b"}) {
    begin(id);
    ends(id, WorkflowStatus::failed);
    EXPECT_TRUE(run(states->remove_workflow(WorkflowId(id))));
  }
  EXPECT_EQ(removed("wf-a"), ErrorCode::not_found);
  attach_other();
  EXPECT_EQ(run(other->removals()).value(), (std::vector{WorkflowId("wf-a"), WorkflowId("wf-b")}));
  EXPECT_TRUE(run(states->finish_removal(WorkflowId("wf-a"))));
  EXPECT_TRUE(run(states->finish_removal(WorkflowId("wf-a"))));
  EXPECT_EQ(run(other->removals()).value(), std::vector{WorkflowId("wf-b")});
}

TEST_P(StateManagerRetention, TellsAWatcherThatItsWorkflowIsGone) {
  begin("wf-a");
  EXPECT_TRUE(run(states->wait_for_change(WorkflowId("wf-a"))));
  ends("wf-a");
  EXPECT_TRUE(run(states->wait_for_change(WorkflowId("wf-a"))));
  EXPECT_TRUE(run(states->remove_workflow(WorkflowId("wf-a"))));
  EXPECT_TRUE(run(states->wait_for_change(WorkflowId("wf-a"))));
}

TEST_P(StateManagerRetention, CompactingTakesNothingThatIsKept) {
  for (int i = 0; i < 40; ++i) {
    const std::string id = "wf-" + std::to_string(i);
    auto large = request(id, 1);
    large.row.body = std::string(20'000, 'x');
    EXPECT_TRUE(run(states->append(large)));
    ends(id);
    if (i % 2 == 0) {
      EXPECT_TRUE(run(states->remove_workflow(WorkflowId(id))));
    }
  }
  auto given = run(states->compact());
  ASSERT_TRUE(given) << to_string(given.error());
  EXPECT_GE(*given, 0);
  EXPECT_EQ(run(states->list({})).value().size(), 20U);
  EXPECT_EQ(run(states->load(WorkflowId("wf-1"), 1, 0)).value().at(0).body.size(), 20'000U);
  EXPECT_TRUE(run(states->compact()));
  begin("wf-later");
}

}  // namespace
}  // namespace conductorai::test
