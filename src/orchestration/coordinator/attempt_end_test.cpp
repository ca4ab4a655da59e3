// Cancellation, timeouts, breakers, heartbeats, dead letters: how an attempt ends when not by its agent's plain result.

#include "core/message_codec.hpp"
#include "tests/support/coordinator_world.hpp"
#include "tests/support/edit.hpp"

namespace conductorai::orchestration {
namespace {

using testing::HasSubstr;
using Names = std::vector<std::string>;

TEST(AttemptEnd, TakesACancelledTaskOutOfTheQueue) {
  World w;
  auto& a = w.agent("a");
  for (const char* name : {"1", "2", "3"}) w.dispatch(name);
  w.cancel("2");
  EXPECT_EQ(w.results["2"].status, ResultStatus::cancelled);
  EXPECT_EQ(w.error_of("2"), ErrorCode::cancelled);
  EXPECT_TRUE(a.cancelled.empty());
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(a.taken, (Names{"1", "3"}));
}

TEST(AttemptEnd, TellsARunningAttemptToStopAndAwaitsItsResult) {
  World w;
  auto& a = w.agent("a");
  a.confirms_stop = false;
  w.dispatch("1");
  w.cancel("1");
  EXPECT_EQ(a.cancelled, Names{"1"});
  EXPECT_TRUE(w.results.empty());
  EXPECT_EQ(w.state("a").running, 1);
  a.answer(a.running[0], ResultStatus::cancelled);
  w.loop.settle();
  EXPECT_EQ(w.results["1"].status, ResultStatus::cancelled);
  EXPECT_EQ(w.results["1"].usage.calls, 1);
}

TEST(AttemptEnd, GivesUpOnAnAgentThatDoesNotConfirmACancellation) {
  World w({.heartbeat_timeout = 24h, .cancel_grace = 10s});
  auto& a = w.agent("a");
  a.confirms_stop = false;
  w.dispatch("1");
  w.dispatch("2");
  w.cancel("1");
  w.loop.advance(9999ms);
  EXPECT_TRUE(w.results.empty());
  w.loop.advance(1ms);
  EXPECT_EQ(w.results["1"].status, ResultStatus::cancelled);
  EXPECT_THAT(w.results["1"].error->message, HasSubstr("did not confirm"));
  EXPECT_EQ(a.taken, (Names{"1", "2"}));
}

TEST(AttemptEnd, NeverStartsWhatWasCancelledBefore) {
  World w;
  auto& a = w.agent("a");
  w.cancels["1"].cancel();
  w.dispatch("1");
  EXPECT_EQ(w.results["1"].status, ResultStatus::cancelled);
  EXPECT_TRUE(a.taken.empty());
}

TEST(AttemptEnd, CancelsABatchWithItsCaller) {
  World w;
  auto& a = w.agent("a");
  std::optional<std::vector<Shared<TaskResult>>> out;
  CancelSource cancel;
  std::vector<Shared<TaskAssignment>> work{w.assignment("1"), w.assignment("2")};
  w.scope.spawn(runtime::detail::store(w.coordinator.dispatch_batch(std::move(work)), out), cancel);
  w.loop.settle();
  cancel.cancel();
  w.loop.settle();
  ASSERT_TRUE(out);
  EXPECT_EQ((*out)[0]->status, ResultStatus::cancelled);
  EXPECT_EQ((*out)[1]->status, ResultStatus::cancelled);
  EXPECT_EQ(a.cancelled, Names{"1"});
}

TaskAssignment with_timeout(World& w, const std::string& name, Milliseconds timeout) {
  auto assignment = w.assignment(name);
  edit(assignment.task, [&](TaskDefinition& task) { task.timeout = timeout; });
  return assignment;
}

TEST(AttemptEnd, CountsTheTimeoutFromHandOver) {
  World w;
  auto& a = w.agent("a");
  w.dispatch("first");
  w.dispatch(with_timeout(w, "late", 100ms));
  w.loop.advance(1h);
  EXPECT_TRUE(w.results.empty());
  a.complete(a.running[0]);
  w.loop.settle();
  w.loop.advance(99ms);
  EXPECT_FALSE(w.results.contains("late"));
  w.loop.advance(1ms);
  EXPECT_EQ(w.error_of("late"), ErrorCode::timeout);
  EXPECT_EQ(w.results["late"].status, ResultStatus::failed);
  EXPECT_EQ(w.results["late"].error->message, "task 'late' took longer than its timeout of 100 ms");
  EXPECT_EQ(w.results["late"].usage.calls, 1);  // of the cancelled result: what was spent is not forgotten
  EXPECT_EQ(a.cancelled, Names{"late"});
}

TEST(AttemptEnd, LetsTheResultWinThatArrivesBeforeTheTimeout) {
  World w;
  auto& a = w.agent("a");
  w.dispatch(with_timeout(w, "1", 100ms));
  w.loop.advance(99ms);
  a.complete(a.running[0]);
  w.loop.advance(10s);
  EXPECT_EQ(w.results["1"].status, ResultStatus::completed);
  EXPECT_TRUE(a.cancelled.empty());
}

TEST(AttemptEnd, LetsTheTimeoutWinOverAResultThatComesWhileItStops) {
  World w;
  auto& a = w.agent("a");
  a.confirms_stop = false;
  w.dispatch(with_timeout(w, "1", 100ms));
  w.loop.advance(100ms);
  EXPECT_EQ(a.cancelled, Names{"1"});
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(w.error_of("1"), ErrorCode::timeout);
  EXPECT_EQ(w.results["1"].verdict, Verdict::none);
}

TEST(AttemptEnd, EndsATimeoutAlsoWhenTheAgentNeverConfirms) {
  World w({.heartbeat_timeout = 24h, .cancel_grace = 10s});
  auto& a = w.agent("a");
  a.confirms_stop = false;
  w.dispatch(with_timeout(w, "1", 100ms));
  w.loop.advance(200ms);
  w.cancel("1");  // changes nothing any more
  w.loop.advance(10s);
  EXPECT_EQ(w.error_of("1"), ErrorCode::timeout);
  EXPECT_EQ(a.cancelled, Names{"1"});
  a.complete(w.assignment("1").id);
  w.loop.settle();
  EXPECT_EQ(w.coordinator.counters().ignored_results, 1U);
}

TEST(AttemptEnd, IgnoresAndCountsResultsOfNoLiveAttempt) {
  World w;
  auto& a = w.agent("a");
  auto& other = w.agent("other", "test");
  w.dispatch("1");
  const AttemptId live = a.running[0];
  AttemptId older = live;
  older.attempt = 0;
  a.complete(older);
  other.complete(live);  // not the one that has it
  a.complete(w.assignment("unknown").id);
  w.loop.settle();
  EXPECT_TRUE(w.results.empty());
  a.complete(live);
  a.fail_with(live, ErrorCode::internal);  // the second of two: the first wins
  w.loop.settle();
  EXPECT_EQ(w.results["1"].status, ResultStatus::completed);
  EXPECT_EQ(w.coordinator.counters().ignored_results, 4U);
}

TEST(AttemptEnd, IgnoresAResultOfAnAttemptThatStillWaits) {
  World w;
  auto& a = w.agent("a");
  w.dispatch("1");
  w.dispatch("2");
  a.complete(w.assignment("2").id);
  w.loop.settle();
  EXPECT_TRUE(w.results.empty());
  EXPECT_EQ(w.coordinator.counters().ignored_results, 1U);
}

TEST(AttemptEnd, PassesASuspendedResultOnWithoutBlame) {
  World w;
  auto& a = w.agent("a");
  w.dispatch("1");
  a.answer(a.running[0], ResultStatus::suspended, Error{.code = ErrorCode::budget_exhausted, .message = "no calls left"});
  w.loop.settle();
  EXPECT_EQ(w.results["1"].status, ResultStatus::suspended);
  EXPECT_EQ(w.state("a").failed, 0);
  EXPECT_EQ(w.state("a").breaker, "closed");
}

// --- breakers -----------------------------------------------------------------------------------------------------------

struct Breakers : testing::Test {
  World w{{.heartbeat_timeout = 1'000h, .breaker_wait_max = 5min}, {.failures_to_open = 2, .open_for = 30s}};
  void break_agent(FakeAgent& agent) {
    for (int n = 0; n < 2; ++n) {
      w.dispatch(agent.id().value + "-breaks-" + std::to_string(n));
      ASSERT_EQ(agent.running.size(), 1U);
      agent.fail_with(agent.running[0], ErrorCode::unavailable);
      w.loop.settle();
    }
    EXPECT_EQ(w.state(agent.id().value).breaker, "open");
  }
};

TEST_F(Breakers, PassOverAnAgentThatFailsTooOften) {
  auto& bad = w.agent("bad");
  break_agent(bad);
  auto& good = w.agent("good");
  w.dispatch("1");
  w.dispatch("2");
  EXPECT_EQ(good.taken, Names{"1"});
  EXPECT_EQ(bad.taken.size(), 2U);
  EXPECT_THAT(w.reason("2"), HasSubstr("1 failed too often of late (breaker open)"));
}

TEST_F(Breakers, LetOneProbeThroughAndThenAll) {
  auto& a = w.agent("a", "coding", 3);
  break_agent(a);
  for (const char* name : {"1", "2", "3"}) w.dispatch(name);
  w.loop.advance(29s);
  EXPECT_EQ(a.taken.size(), 2U);
  w.loop.advance(1s);
  EXPECT_EQ(a.running.size(), 1U);
  EXPECT_EQ(w.state("a").breaker, "half_open");
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(a.running.size(), 2U);
  EXPECT_EQ(w.state("a").breaker, "closed");
}

TEST_F(Breakers, ProbeAgainAfterACancelledProbe) {
  auto& a = w.agent("a");
  break_agent(a);
  w.dispatch("1");
  w.dispatch("2");
  w.loop.advance(30s);
  w.cancel("1");
  w.loop.settle();
  EXPECT_EQ(a.taken.back(), "2");
}

TEST_F(Breakers, MakeADeadLetterOfWhatWaitsTooLongForThem) {
  auto& a = w.agent("a");
  auto always_fails = [](FakeAgent& agent, const AttemptId& id) { agent.fail_with(id, ErrorCode::unavailable); };
  break_agent(a);
  a.on_task = always_fails;
  for (int n = 0; n < 30; ++n) w.dispatch("t" + std::to_string(n));
  w.loop.advance(2min);
  for (int n = 0; n < 10; ++n) w.dispatch("young" + std::to_string(n));
  w.loop.advance(3min - 1ms);
  for (const auto& [name, result] : w.results) EXPECT_FALSE(dead_letter_reason(*result.error)) << name;
  w.loop.advance(1ms);
  auto letters = run_to_end(w.loop, w.states.dead_letters()).value();
  ASSERT_GT(letters.size(), 10U);
  EXPECT_EQ(letters[0].reason, "breaker_open");
  EXPECT_EQ(letters[0].workflow, WorkflowId("wf"));
  auto message = core::decode_message(letters[0].message);
  ASSERT_TRUE(message);
  const auto& result = w.results[std::get<Shared<TaskAssignment>>(message->body)->id.task.value];
  EXPECT_EQ(result.error->code, ErrorCode::unavailable);
  EXPECT_EQ(w.errors.handle_error(*result.error, {}).action, ErrorAction::dead_letter);
  EXPECT_FALSE(w.results.contains("young9"));
  w.loop.advance(2min);
  ASSERT_TRUE(w.results.contains("young9"));
  EXPECT_EQ(dead_letter_reason(*w.results["young9"].error), "breaker_open");
}

TEST_F(Breakers, WaitForABusyAgentWhoseBreakerIsClosedAsLongAsItTakes) {
  auto& bad = w.agent("bad");
  break_agent(bad);
  bad.on_task = [](FakeAgent& agent, const AttemptId& id) { agent.fail_with(id, ErrorCode::unavailable); };
  auto& good = w.agent("good");
  w.dispatch("long");
  for (int n = 0; n < 100; ++n) w.dispatch("w" + std::to_string(n));
  w.loop.advance(20min);
  EXPECT_EQ(good.running.size(), 1U);
  EXPECT_TRUE(run_to_end(w.loop, w.states.dead_letters()).value().empty());
}

// --- heartbeats -----------------------------------------------------------------------------------------------------------

struct Heartbeats : testing::Test {
  World w{{.heartbeat_timeout = 30s, .cancel_grace = 1s}};
  void live(std::chrono::seconds duration, std::vector<FakeAgent*> beating) {
    for (auto passed = 0s; passed < duration; passed += 5s) {
      w.loop.advance(5s);
      for (FakeAgent* agent : beating) agent->beat();
      w.loop.settle();
    }
  }
};

TEST_F(Heartbeats, KeepAnAgentOnline) {
  auto& a = w.agent("a");
  w.dispatch("1");
  live(10min, {&a});
  EXPECT_EQ(w.state("a").status, AgentStatus::busy);
  EXPECT_TRUE(w.results.empty());
  EXPECT_GT(w.state("a").last_heartbeat, Timestamp(w.loop.now() - 10s));
}

TEST_F(Heartbeats, LoseASilentAgentAndFailItsAttempts) {
  auto& a = w.agent("a", "coding", 2);
  auto& b = w.agent("b", "test");
  for (const char* name : {"1", "2", "3"}) w.dispatch(name);
  live(60s, {&b});
  EXPECT_EQ(w.state("a").status, AgentStatus::offline);
  EXPECT_EQ(w.state("b").status, AgentStatus::idle);
  for (const char* name : {"1", "2"}) {
    EXPECT_EQ(w.error_of(name), ErrorCode::unavailable);
    EXPECT_EQ(w.errors.handle_error(*w.results[name].error, {}).action, ErrorAction::retry);
  }
  EXPECT_EQ(w.state("a").running, 0);
  EXPECT_THAT(w.reason("3"), HasSubstr("1 offline"));
  EXPECT_EQ(a.taken, (Names{"1", "2"}));
}

TEST_F(Heartbeats, BringALostAgentBackAndIgnoreItsOldResults) {
  auto& a = w.agent("a");
  a.confirms_stop = false;
  w.dispatch("1");
  w.dispatch("2");
  live(60s, {});
  EXPECT_EQ(w.error_of("1"), ErrorCode::unavailable);
  a.complete(w.assignment("1").id);
  w.loop.settle();
  EXPECT_EQ(w.coordinator.counters().ignored_results, 1U);
  a.beat();
  w.loop.settle();
  EXPECT_EQ(a.taken, (Names{"1", "2"}));
  EXPECT_EQ(w.state("a").status, AgentStatus::busy);
}

TEST_F(Heartbeats, DoNotCountTheTimeTheProcessItselfStoodStill) {
  auto& a = w.agent("a");
  w.dispatch("1");
  live(20s, {&a});
  w.clock.stood_still += 10min;  // stopped by a signal; nothing of ours ran
  live(20s, {&a});
  EXPECT_TRUE(w.results.empty());
  EXPECT_EQ(w.state("a").status, AgentStatus::busy);
  live(60s, {});
  EXPECT_EQ(w.error_of("1"), ErrorCode::unavailable);
}

TEST_F(Heartbeats, RemoveADrainingAgentThatFellSilent) {
  w.agent("a");
  w.dispatch("1");
  EXPECT_TRUE(w.coordinator.unregister_agent(AgentId("a")));
  live(60s, {});
  EXPECT_EQ(w.error_of("1"), ErrorCode::unavailable);
  EXPECT_TRUE(w.coordinator.agent_states().empty());
}

TEST_F(Heartbeats, OfStrangersAreIgnored) {
  FakeAgent stranger(w.bus, "stranger");
  stranger.beat();
  w.loop.settle();
  EXPECT_TRUE(w.coordinator.agent_states().empty());
}

}  // namespace
}  // namespace conductorai::orchestration
