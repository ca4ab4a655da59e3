#include "tests/contract/state_manager_contract.hpp"

#include <algorithm>

namespace conductorai::test {
namespace {

// --- journal -----------------------------------------------------------------------------------------------------------

TEST_P(StateManagerContract, LoadsAppendedRowsInOrder) {
  for (std::uint64_t seq = 1; seq <= 3; ++seq) EXPECT_TRUE(run(states->append(request("wf-a", seq))));
  auto rows = run(states->load(WorkflowId("wf-a"), 1, 0));
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3U);
  for (std::uint64_t seq = 1; seq <= 3; ++seq) EXPECT_EQ((*rows)[seq - 1], request("wf-a", seq).row);
}

TEST_P(StateManagerContract, LoadsFromTheRowThatHoldsTheSequenceAsked) {
  EXPECT_TRUE(run(states->append(request("wf-a", 1, 3))));
  EXPECT_TRUE(run(states->append(request("wf-a", 4, 2))));
  EXPECT_TRUE(run(states->append(request("wf-a", 6, 1))));
  const auto firsts = [&](std::uint64_t from, int limit) {
    std::vector<std::uint64_t> seqs;
    for (const JournalRow& row : run(states->load(WorkflowId("wf-a"), from, limit)).value()) seqs.push_back(row.first_seq);
    return seqs;
  };
  EXPECT_EQ(firsts(0, 0), (std::vector<std::uint64_t>{1, 4, 6}));
  EXPECT_EQ(firsts(3, 0), (std::vector<std::uint64_t>{1, 4, 6}));
  EXPECT_EQ(firsts(4, 0), (std::vector<std::uint64_t>{4, 6}));
  EXPECT_EQ(firsts(5, 1), (std::vector<std::uint64_t>{4}));
  EXPECT_EQ(firsts(6, 0), (std::vector<std::uint64_t>{6}));
  EXPECT_EQ(firsts(7, 0), (std::vector<std::uint64_t>{}));
}

TEST_P(StateManagerContract, FindsNothingOfAWorkflowItDoesNotKnow) {
  EXPECT_EQ(run(states->load(WorkflowId("wf-none"), 1, 0)).value().size(), 0U);
  EXPECT_EQ(code(run(states->get(WorkflowId("wf-none")))), ErrorCode::not_found);
}

TEST_P(StateManagerContract, RefusesARowThatLeavesAGapOrRepeats) {
  begin("wf-a");
  EXPECT_EQ(code(run(states->append(request("wf-a", 3)))), ErrorCode::conflict);
  EXPECT_EQ(code(run(states->append(request("wf-a", 1)))), ErrorCode::already_exists);
  EXPECT_TRUE(run(states->append(request("wf-a", 2))));
  EXPECT_EQ(code(run(states->append(request("wf-a", 2)))), ErrorCode::conflict);
  EXPECT_EQ(run(states->load(WorkflowId("wf-a"), 1, 0)).value().size(), 2U);
}

TEST_P(StateManagerContract, BeginsAWorkflowOnlyAtItsFirstSequenceAndEpoch) {
  EXPECT_EQ(code(run(states->append(request("wf-a", 2)))), ErrorCode::conflict);
  EXPECT_EQ(code(run(states->append(request("wf-a", 1, 1, 2)))), ErrorCode::conflict);
  EXPECT_EQ(code(run(states->append(request("wf-a", 1, 0)))), ErrorCode::invalid_argument);
  EXPECT_EQ(code(run(states->get(WorkflowId("wf-a")))), ErrorCode::not_found);
}

TEST_P(StateManagerContract, RefusesAnEpochThatWasNeverGiven) {
  begin("wf-a");
  EXPECT_EQ(code(run(states->append(request("wf-a", 2, 1, 2)))), ErrorCode::conflict);
}

TEST_P(StateManagerContract, ReturnsBodiesOfAnyBytesAsTheyWere) {
  auto hostile = request("wf-a", 1);
  hostile.row.body = std::string("\0\xff\xfe'\"\n", 6) + std::string(2 << 20, 'x');
  hostile.summary.reason = "it's; DROP TABLE journal";
  EXPECT_TRUE(run(states->append(hostile)));
  EXPECT_EQ(run(states->load(WorkflowId("wf-a"), 1, 0)).value().at(0).body, hostile.row.body);
  EXPECT_EQ(run(states->get(WorkflowId("wf-a"))).value().reason, hostile.summary.reason);
}

task<void> append_into(StateManager& states, AppendRequest request, Result<void>& out) {
  out = co_await states.append(std::move(request));
}

TEST_P(StateManagerContract, AConflictAmongManyAppendsAtOnceFailsAlone) {
  constexpr int kWorkflows = 200;
  std::vector<Result<void>> results(kWorkflows * 2);
  runtime::TaskScope scope(loop);
  for (int i = 0; i < kWorkflows; ++i) {
    scope.spawn(append_into(*states, request("wf-" + std::to_string(i), 1), results[i * 2]));
    scope.spawn(append_into(*states, request("wf-" + std::to_string(i), i % 10 == 0 ? 7 : 2), results[i * 2 + 1]));
  }
  run(scope.join());
  for (int i = 0; i < kWorkflows; ++i) {
    EXPECT_TRUE(results[i * 2]);
    EXPECT_EQ(results[i * 2 + 1].has_value(), i % 10 != 0);
    EXPECT_EQ(run(states->load(WorkflowId("wf-" + std::to_string(i)), 1, 0)).value().size(), i % 10 == 0 ? 1U : 2U);
  }
}

// --- listing -----------------------------------------------------------------------------------------------------------

TEST_P(StateManagerContract, ShowsTheSummaryOfTheLastRow) {
  begin("wf-a");
  auto next = request("wf-a", 2, 3);
  next.summary.status = WorkflowStatus::paused;
  next.summary.phase = Phase::monitoring;
  next.summary.round = 4;
  next.summary.reason = "budget";
  next.summary.owner = "ignored: ownership changes by claim and release alone";
  EXPECT_TRUE(run(states->append(next)));
  auto expected = next.summary;
  expected.owner = "7@here";
  expected.owner_alive = true;
  expected.last_seq = 4;
  EXPECT_EQ(run(states->get(WorkflowId("wf-a"))).value(), expected);
  EXPECT_EQ(run(states->list({})).value(), std::vector{expected});
}

TEST_P(StateManagerContract, ListsNewestFirstFilteredAndPageByPage) {
  for (int i = 0; i < 6; ++i) {
    auto first = request("wf-" + std::to_string(i), 1);
    first.summary.created_at = Timestamp(Milliseconds(i / 2));  // ties are broken by id
    first.summary.name = i == 3 ? "special" : "demo";
    first.summary.status = i % 2 == 0 ? WorkflowStatus::completed : WorkflowStatus::failed;
    EXPECT_TRUE(run(states->append(first)));
  }
  const auto ids = [&](WorkflowFilter filter) {
    std::string text;
    for (const auto& summary : run(states->list(std::move(filter))).value()) text += summary.id.value.substr(3);
    return text;
  };
  EXPECT_EQ(ids({}), "543210");
  EXPECT_EQ(ids({.statuses = {WorkflowStatus::completed}}), "420");
  EXPECT_EQ(ids({.statuses = {WorkflowStatus::completed, WorkflowStatus::failed}, .limit = 4}), "5432");
  EXPECT_EQ(ids({.statuses = {WorkflowStatus::paused}}), "");
  EXPECT_EQ(ids({.name = "special"}), "3");
  EXPECT_EQ(ids({.limit = 2, .after = "wf-4"}), "32");
  EXPECT_EQ(ids({.after = "wf-0"}), "");
  EXPECT_EQ(ids({.after = "wf-unknown"}), "");
}

// --- ownership ---------------------------------------------------------------------------------------------------------

TEST_P(StateManagerContract, TheFirstAppendOwns) {
  begin("wf-a");
  attach_other();
  auto claimed = run(other->claim(WorkflowId("wf-a"), "8@there"));
  EXPECT_EQ(code(claimed), ErrorCode::conflict);
  EXPECT_EQ(claimed.error().where, "7@here");
  EXPECT_EQ(code(run(states->claim(WorkflowId("wf-a"), "7@here"))), ErrorCode::conflict);  // a second run in one process
  EXPECT_TRUE(run(other->get(WorkflowId("wf-a"))).value().owner_alive);
}

TEST_P(StateManagerContract, WhatACrashedOwnerHeldCanBeClaimed) {
  begin("wf-a");
  store->crash(std::move(states));
  attach_other();
  auto summary = run(other->get(WorkflowId("wf-a"))).value();
  EXPECT_EQ(summary.owner, "7@here");
  EXPECT_FALSE(summary.owner_alive);
  auto claimed = run(other->claim(WorkflowId("wf-a"), "8@there"));
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->epoch, 2U);
  EXPECT_EQ(claimed->workflow, WorkflowId("wf-a"));
  summary = run(other->get(WorkflowId("wf-a"))).value();
  EXPECT_EQ(summary.owner, "8@there");
  EXPECT_TRUE(summary.owner_alive);
  EXPECT_TRUE(run(other->append(request("wf-a", 2, 1, 2))));
}

TEST_P(StateManagerContract, FencesWhoWasOvertaken) {
  begin("wf-a");
  EXPECT_TRUE(run(states->release(WorkflowId("wf-a"))));
  attach_other();
  EXPECT_EQ(run(other->claim(WorkflowId("wf-a"), "8@there")).value().epoch, 2U);
  EXPECT_EQ(code(run(states->append(request("wf-a", 2)))), ErrorCode::fenced);
  EXPECT_EQ(code(run(states->begin_step({.id = {{WorkflowId("wf-a"), TaskId("t"), 1, 1}, "1"}, .epoch = 1}))), ErrorCode::fenced);
  EXPECT_TRUE(run(states->release(WorkflowId("wf-a"))));  // not its own any more: changes nothing
  EXPECT_TRUE(run(other->get(WorkflowId("wf-a"))).value().owner_alive);
}

TEST_P(StateManagerContract, AReleasedWorkflowHasNoOwner) {
  begin("wf-a");
  EXPECT_TRUE(run(states->release(WorkflowId("wf-a"))));
  EXPECT_TRUE(run(states->release(WorkflowId("wf-a"))));
  EXPECT_TRUE(run(states->release(WorkflowId("wf-none"))));
  auto summary = run(states->get(WorkflowId("wf-a"))).value();
  EXPECT_EQ(summary.owner, "");
  EXPECT_FALSE(summary.owner_alive);
  EXPECT_EQ(run(states->claim(WorkflowId("wf-a"), "7@here")).value().epoch, 2U);
}

TEST_P(StateManagerContract, AClaimedNewWorkflowIsBegunByItsFirstRow) {
  EXPECT_EQ(run(states->claim(WorkflowId("wf-a"), "7@here")).value().epoch, 1U);
  EXPECT_EQ(run(states->list({})).value().size(), 0U);
  EXPECT_EQ(code(run(states->get(WorkflowId("wf-a")))), ErrorCode::not_found);
  begin("wf-a");
  EXPECT_EQ(run(states->get(WorkflowId("wf-a"))).value().created_at, request("wf-a", 1).summary.created_at);
}

// --- changes -----------------------------------------------------------------------------------------------------------

task<void> count_changes(StateManager& states, WorkflowId workflow, int& changes) {
  while (true) {
    auto changed = co_await states.wait_for_change(workflow);
    if (!changed) co_return;
    ++changes;
  }
}

TEST_P(StateManagerContract, TellsAWatcherOfChangesHereAndElsewhere) {
  begin("wf-a");
  attach_other();
  int here = 0;
  int elsewhere = 0;
  runtime::TaskScope scope(loop);
  scope.spawn(count_changes(*states, WorkflowId("wf-a"), here));
  scope.spawn(count_changes(*other, WorkflowId("wf-a"), elsewhere));
  loop.run_until([&] { return here >= 1 && elsewhere >= 1; });  // the first wait returns at once
  for (std::uint64_t seq = 2; seq < 6; ++seq) {
    const int seen_here = here;
    const int seen_elsewhere = elsewhere;
    EXPECT_TRUE(run(states->append(request("wf-a", seq))));
    loop.run_until([&] { return here > seen_here && elsewhere > seen_elsewhere; });
  }
  const int seen = elsewhere;
  EXPECT_TRUE(run(states->release(WorkflowId("wf-a"))));
  loop.run_until([&] { return elsewhere > seen; });
  scope.cancel();
  run(scope.join());
}

TEST_P(StateManagerContract, AChangeBetweenTwoWaitsIsNotLost) {
  begin("wf-a");
  EXPECT_TRUE(run(states->wait_for_change(WorkflowId("wf-a"))));
  EXPECT_TRUE(run(states->append(request("wf-a", 2))));
  EXPECT_TRUE(run(states->wait_for_change(WorkflowId("wf-a"))));
}

TEST_P(StateManagerContract, AWaitCanBeCancelled) {
  begin("wf-a");
  int changes = 0;
  runtime::TaskScope scope(loop);
  scope.spawn(count_changes(*states, WorkflowId("wf-a"), changes));
  loop.run_until([&] { return changes == 1; });
  scope.cancel();
  run(scope.join());
  EXPECT_EQ(changes, 1);
}

// --- inbox -------------------------------------------------------------------------------------------------------------

TEST_P(StateManagerContract, CommandsWaitUntilARowConsumesThem) {
  begin("wf-a");
  begin("wf-b");
  attach_other();
  const auto first = run(other->post_command(WorkflowId("wf-a"), "pause")).value();
  const auto second = run(other->post_command(WorkflowId("wf-a"), "cancel")).value();
  EXPECT_TRUE(run(other->post_command(WorkflowId("wf-b"), "other")));
  EXPECT_EQ(run(states->commands(WorkflowId("wf-a"))).value(),
            (std::vector{InboxCommand{first, WorkflowId("wf-a"), "pause"}, InboxCommand{second, WorkflowId("wf-a"), "cancel"}}));
  auto refused = request("wf-a", 9);
  refused.consumed_commands = {first, second};
  EXPECT_FALSE(run(states->append(refused)));
  EXPECT_EQ(run(states->commands(WorkflowId("wf-a"))).value().size(), 2U);
  auto taken = request("wf-a", 2);
  taken.consumed_commands = {first};
  EXPECT_TRUE(run(states->append(taken)));
  EXPECT_EQ(run(states->commands(WorkflowId("wf-a"))).value(), (std::vector{InboxCommand{second, WorkflowId("wf-a"), "cancel"}}));
  EXPECT_TRUE(run(states->discard_commands({second, 12'345})));
  EXPECT_EQ(run(states->commands(WorkflowId("wf-a"))).value().size(), 0U);
  EXPECT_EQ(run(states->commands(WorkflowId("wf-b"))).value().size(), 1U);
}

TEST_P(StateManagerContract, CommandsOfEveryWorkflowAreReadAtOnce) {
  begin("wf-a");
  begin("wf-b");
  EXPECT_TRUE(run(states->commands(WorkflowId())).value().empty());
  const auto first = run(states->post_command(WorkflowId("wf-b"), "pause")).value();
  const auto second = run(states->post_command(WorkflowId("wf-a"), "cancel")).value();
  EXPECT_EQ(run(states->commands(WorkflowId())).value(),
            (std::vector{InboxCommand{first, WorkflowId("wf-b"), "pause"}, InboxCommand{second, WorkflowId("wf-a"), "cancel"}}));
}

TEST_P(StateManagerContract, WhoReleasesLearnsOfCommandsThatStillWait) {
  begin("wf-a");
  begin("wf-b");
  attach_other();
  const auto late = run(other->post_command(WorkflowId("wf-a"), "pause")).value();
  EXPECT_FALSE(run(states->release(WorkflowId("wf-b"))).value());
  EXPECT_TRUE(run(states->release(WorkflowId("wf-a"))).value());
  EXPECT_FALSE(run(states->release(WorkflowId("wf-a"))).value());  // no longer its to apply them
  EXPECT_EQ(run(states->commands(WorkflowId("wf-a"))).value(), (std::vector{InboxCommand{late, WorkflowId("wf-a"), "pause"}}));
}

TEST_P(StateManagerContract, IdsOfCommandsAreNeverUsedTwice) {
  begin("wf-a");
  const auto first = run(states->post_command(WorkflowId("wf-a"), "1")).value();
  EXPECT_TRUE(run(states->discard_commands({first})));
  EXPECT_GT(run(states->post_command(WorkflowId("wf-a"), "2")).value(), first);
}

TEST_P(StateManagerContract, ACommandFromAnotherProcessWakesTheOwner) {
  begin("wf-a");
  int woken = 0;
  states->on_command([&] { ++woken; });
  attach_other();
  EXPECT_TRUE(run(other->post_command(WorkflowId("wf-a"), "pause")));
  loop.run_until([&] { return woken > 0; });
  EXPECT_EQ(run(states->commands(WorkflowId("wf-a"))).value().size(), 1U);
}

TEST_P(StateManagerContract, ACommandToNobodyIsRefused) {
  EXPECT_EQ(code(run(states->post_command(WorkflowId("wf-none"), "pause"))), ErrorCode::not_found);
}

// --- dead letters, agents ----------------------------------------------------------------------------------------------

TEST_P(StateManagerContract, DeadLettersAreKeptUntilTaken) {
  const DeadLetter letter{0, "conductor:agent:x", "expired", "{}", WorkflowId("wf-a"), Timestamp(Milliseconds(5))};
  const auto first = run(states->put_dead_letter(letter)).value();
  const auto second = run(states->put_dead_letter(letter)).value();
  auto kept = run(states->dead_letters()).value();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_LT(kept[0].id, kept[1].id);
  auto expected = letter;
  expected.id = first;
  EXPECT_EQ(run(states->take_dead_letter(first)).value(), expected);
  EXPECT_EQ(code(run(states->take_dead_letter(first))), ErrorCode::not_found);
  EXPECT_EQ(run(states->dead_letters()).value().at(0).id, second);
}

TEST_P(StateManagerContract, AgentStatesAreReplacedById) {
  AgentState coder;
  coder.id = AgentId("coding-01");
  coder.type = AgentType("coding");
  coder.status = AgentStatus::busy;
  coder.current_tasks = {"wf-a/code"};
  coder.last_heartbeat = Timestamp(Milliseconds(1'767'225'600'000));
  AgentState tester = coder;
  tester.id = AgentId("a-test");
  EXPECT_TRUE(run(states->save_agent_states({coder, tester})));
  coder.succeeded = 9;
  EXPECT_TRUE(run(states->save_agent_states({coder})));
  EXPECT_EQ(run(states->agent_states()).value(), (std::vector{tester, coder}));
  EXPECT_TRUE(run(states->remove_agent_state(tester.id)));
  EXPECT_TRUE(run(states->remove_agent_state(tester.id)));
  EXPECT_EQ(run(states->agent_states()).value(), std::vector{coder});
}

}  // namespace
}  // namespace conductorai::test
