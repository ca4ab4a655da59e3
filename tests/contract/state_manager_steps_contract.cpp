// The steps ledger: what begin and finish promise, and that no budget is overrun at any instant.

#include <map>
#include <random>

#include "core/ordinal.hpp"
#include "infrastructure/state/step_ledger.hpp"
#include "tests/contract/state_manager_contract.hpp"

namespace conductorai::test {
namespace {

const AttemptId& kAttempt = StateManagerSteps::attempt();

StepBegin ask(const std::string& ordinal, std::int64_t calls = 1, std::uint64_t epoch = 1) {
  return {.id = {kAttempt, ordinal},
          .kind = "llm",
          .request_digest = "digest " + ordinal,
          .worst_case = {.usd_micros = 100 * calls, .tokens = 1'000 * calls, .calls = calls, .wall_ms = 60'000 * calls},
          .scopes = {{.key = "workflow/wf-a", .calls = 10}, {.key = "task/wf-a/code", .calls = 10}},
          .epoch = epoch,
          .diverged = false};
}

StepFinish answer(const std::string& ordinal, int try_number = 1, const std::string& text = "\"yes\"", std::uint64_t epoch = 1) {
  return {.id = {kAttempt, ordinal},
          .try_number = try_number,
          .status = StepStatus::answered,
          .usage = {.calls = 1, .input_tokens = 10, .output_tokens = 5, .usd_micros = 7, .wall_ms = 20},
          .response = text,
          .tree = "tree",
          .epoch = epoch};
}

StepFinish ended(const std::string& ordinal, StepStatus status, int try_number = 1, std::uint64_t epoch = 1) {
  return {.id = {kAttempt, ordinal}, .try_number = try_number, .status = status, .usage = {}, .response = {}, .tree = {}, .epoch = epoch};
}

constexpr auto kBegun = StepBegun::Outcome::begun;
constexpr auto kAnswered = StepBegun::Outcome::answered;
constexpr auto kRefused = StepBegun::Outcome::refused;

TEST_P(StateManagerSteps, BeginReservesInEveryScope) {
  auto first = begun(ask("1"));
  EXPECT_EQ(first.outcome, kBegun);
  EXPECT_EQ(first.record.tries, 1);
  EXPECT_EQ(first.record.status, StepStatus::sent);
  for (const char* scope : {"workflow/wf-a", "task/wf-a/code"})
    EXPECT_EQ(use(scope), (BudgetUse{{}, {.usd_micros = 100, .tokens = 1'000, .calls = 1, .wall_ms = 60'000}}));
  EXPECT_EQ(use("workflow/other"), BudgetUse{});
  EXPECT_EQ(steps().at(0), first.record);
}

TEST_P(StateManagerSteps, AnAnswerSettlesAndIsNeverBoughtAgain) {
  begun(ask("1"));
  finish(answer("1"));
  EXPECT_EQ(use(), (BudgetUse{{.usd_micros = 7, .tokens = 15, .calls = 1, .wall_ms = 20}, {}}));
  auto again = begun(ask("1", 1, 1));
  EXPECT_EQ(again.outcome, kAnswered);
  EXPECT_EQ(again.record.response, "\"yes\"");
  EXPECT_EQ(again.record.tree, "tree");
  EXPECT_EQ(again.record.usage, answer("1").usage);
  EXPECT_EQ(use().reserved, Amounts{});
  finish(answer("1", 1, "\"no\""));  // said twice: the first counts
  EXPECT_EQ(begun(ask("1")).record.response, "\"yes\"");
  EXPECT_EQ(use().spent.calls, 1);
}

TEST_P(StateManagerSteps, ARefusalNamesScopeLimitAndUseAndReservesNowhere) {
  begun(ask("1", 6));
  auto tight = ask("2", 5);
  tight.scopes = {{.key = "task/wf-a/code"}, {.key = "workflow/wf-a", .calls = 10}};
  auto result = begun(tight);
  EXPECT_EQ(result.outcome, kRefused);
  EXPECT_EQ(result.refusal, "workflow/wf-a: calls: 0 of 10 used, 6 held for calls under way, 5 more asked");
  EXPECT_EQ(result.held_in, "workflow/wf-a");
  EXPECT_EQ(use("task/wf-a/code").reserved.calls, 6);
  EXPECT_EQ(steps().size(), 1U);
  tight.worst_case.calls = 4;  // just fits
  EXPECT_EQ(begun(tight).outcome, kBegun);
}

TEST_P(StateManagerSteps, AScopeThatIsUsedUpRefusesBeforeOneWhoseRestIsHeld) {
  begun(ask("1", 6));
  auto tight = ask("2", 5);
  tight.scopes = {{.key = "workflow/wf-a", .calls = 10}, {.key = "task/wf-a/code", .calls = 4}};
  auto result = begun(tight);
  EXPECT_EQ(result.outcome, kRefused);
  EXPECT_EQ(result.refusal, "task/wf-a/code: calls: 0 of 4 used, 6 held for calls under way, 5 more asked");
  EXPECT_EQ(result.held_in, "");
}

TEST_P(StateManagerSteps, EachKindOfAmountIsLimited) {
  const auto refusal = [&](BudgetScope scope) {
    auto step = ask("9");
    scope.key = "s";
    step.scopes = {scope};
    return begun(step).refusal;
  };
  EXPECT_EQ(refusal({.usd_micros = 99}), "s: usd: 0.00 of 0.000099 used, 0.000100 more asked");
  EXPECT_EQ(refusal({.tokens = 999}), "s: tokens: 0 of 999 used, 1000 more asked");
  EXPECT_EQ(refusal({.wall_ms = 30'000}), "s: wall-minutes: 0.00 of 0.50 used, 1.00 more asked");
  EXPECT_EQ(refusal({.usd_micros = 100, .tokens = 1'000, .calls = 1, .wall_ms = 60'000}), "");
}

TEST_P(StateManagerSteps, AStepThatAsksForNothingIsNeverRefused) {
  auto spent_out = ask("1", 10);
  begun(spent_out);
  auto tool = ask("2", 0);
  EXPECT_EQ(begun(tool).outcome, kBegun);
}

TEST_P(StateManagerSteps, ADefiniteFailureCostsNothingAndIsTriedAgain) {
  begun(ask("1"));
  finish(ended("1", StepStatus::failed));
  EXPECT_EQ(use(), BudgetUse{});
  auto second = begun(ask("1"));
  EXPECT_EQ(second.outcome, kBegun);
  EXPECT_EQ(second.record.tries, 2);
  finish(answer("1", 2));
  EXPECT_EQ(steps().at(0).usage.calls, 1);
}

TEST_P(StateManagerSteps, AnUnknownOutcomeIsChargedAtItsWorst) {
  begun(ask("1"));
  finish(ended("1", StepStatus::unknown));
  EXPECT_EQ(use(), (BudgetUse{{.usd_micros = 100, .tokens = 1'000, .calls = 1, .wall_ms = 60'000}, {}}));
  const auto record = steps().at(0);
  EXPECT_EQ(record.status, StepStatus::unknown);
  EXPECT_EQ(record.usage.unknown_calls, 1);
  EXPECT_EQ(record.usage.usd_micros, 100);
  finish(ended("1", StepStatus::unknown));
  EXPECT_EQ(use().spent.calls, 1);
}

TEST_P(StateManagerSteps, WhatACrashHidIsChargedWhenTheNextTryBegins) {
  begun(ask("1"));
  store->crash(std::move(states));
  states = store->attach();
  const auto epoch = run(states->claim(WorkflowId("wf-a"), "8@there")).value().epoch;
  EXPECT_EQ(steps().at(0).status, StepStatus::sent);
  auto second = begun(ask("1", 1, epoch));
  EXPECT_EQ(second.outcome, kBegun);
  EXPECT_EQ(second.record.tries, 2);
  EXPECT_EQ(second.record.usage.unknown_calls, 1);
  EXPECT_EQ(use().spent.calls, 1);
  EXPECT_EQ(use().reserved.calls, 1);
  finish(answer("1", 2, "\"second\"", epoch));
  EXPECT_EQ(use().spent, (Amounts{.usd_micros = 107, .tokens = 1'015, .calls = 2, .wall_ms = 60'020}));
}

TEST_P(StateManagerSteps, ALateFinishOfAnOlderTrySettlesItsCostAndReplacesNoAnswer) {
  begun(ask("1"));
  begun(ask("1"));
  finish(answer("1", 2, "\"second\""));
  finish(answer("1", 1, "\"late\""));
  finish(answer("1", 1, "\"late\""));
  EXPECT_EQ(begun(ask("1")).record.response, "\"second\"");
  EXPECT_EQ(use(), (BudgetUse{{.usd_micros = 14, .tokens = 30, .calls = 2, .wall_ms = 40}, {}}));
  EXPECT_EQ(steps().at(0).usage.unknown_calls, 0);
  EXPECT_EQ(steps().at(0).usage.calls, 2);
}

TEST_P(StateManagerSteps, ALateAnswerBeforeTheNextOneIsNotTakenForIt) {
  begun(ask("1"));
  begun(ask("1"));
  finish(answer("1", 1, "\"late\""));
  EXPECT_EQ(steps().at(0).status, StepStatus::sent);
  EXPECT_EQ(steps().at(0).response, "");
  finish(ended("1", StepStatus::failed, 2));
  EXPECT_EQ(use(), (BudgetUse{{.usd_micros = 7, .tokens = 15, .calls = 1, .wall_ms = 20}, {}}));
}

TEST_P(StateManagerSteps, ALateRefusalTakesTheWholeChargeBack) {
  begun(ask("1"));
  begun(ask("1"));
  finish(ended("1", StepStatus::failed, 1));
  finish(ended("1", StepStatus::failed, 2));
  EXPECT_EQ(use(), BudgetUse{});
  EXPECT_EQ(steps().at(0).usage, Usage{});
}

TEST_P(StateManagerSteps, AFinishOfAnOlderEpochIsNoAnswer) {
  begun(ask("1", 1, 1));
  finish(answer("1", 1, "\"stale\"", 0));
  EXPECT_EQ(steps().at(0).response, "");
  EXPECT_EQ(steps().at(0).status, StepStatus::unknown);
  EXPECT_EQ(use(), (BudgetUse{{.usd_micros = 7, .tokens = 15, .calls = 1, .wall_ms = 20}, {}}));
}

TEST_P(StateManagerSteps, ADivergenceSetsAsideThisOrdinalAndThoseAfterIt) {
  for (const char* ordinal : {"2", "3.0", "3.1", "10"}) {
    begun(ask(ordinal));
    finish(answer(ordinal));
  }
  begun(ask("11"));  // in flight
  auto other_question = ask("3.1");
  other_question.request_digest = "another";
  other_question.diverged = true;
  auto live = begun(other_question);
  EXPECT_EQ(live.outcome, kBegun);
  EXPECT_EQ(live.record.tries, 2);  // a late finish of the old record's try names it alone
  std::map<std::string, int> standing;
  for (const StepRecord& record : steps()) standing[record.id.ordinal] += record.set_aside ? 0 : 1;
  EXPECT_EQ(standing, (std::map<std::string, int>{{"2", 1}, {"3.0", 1}, {"3.1", 1}, {"10", 0}, {"11", 0}}));
  EXPECT_EQ(use().spent.calls, 5);  // what was in flight is charged
  EXPECT_EQ(use().reserved.calls, 1);
  EXPECT_EQ(begun(ask("3.0")).outcome, kAnswered);
  EXPECT_EQ(begun(ask("10")).outcome, kBegun);
  finish(answer("11", 1));  // late, of the record set aside
  EXPECT_EQ(use().spent.calls, 5);
  EXPECT_EQ(use().spent.tokens, 75);
  EXPECT_EQ(steps().size(), 7U);
}

TEST_P(StateManagerSteps, AnAnswerToAnotherQuestionIsNeverUsed) {
  begun(ask("1"));
  finish(answer("1"));
  auto changed = ask("1");
  changed.request_digest = "another";
  EXPECT_EQ(begun(changed).outcome, kBegun);
  EXPECT_EQ(steps().size(), 2U);
  EXPECT_TRUE(steps().at(0).set_aside);
}

TEST_P(StateManagerSteps, ARefusedDivergenceChangesNothing) {
  begun(ask("1"));
  finish(answer("1"));
  auto greedy = ask("1", 99);
  greedy.diverged = true;
  EXPECT_EQ(begun(greedy).outcome, kRefused);
  EXPECT_EQ(begun(ask("1")).outcome, kAnswered);
}

TEST_P(StateManagerSteps, AScopeNamedTwiceIsChargedOnce) {
  auto twice = ask("1");
  twice.scopes = {{.key = "s", .calls = 1}, {.key = "s", .calls = 5}};
  EXPECT_EQ(begun(twice).outcome, kBegun);
  EXPECT_EQ(use("s").reserved.calls, 1);
}

TEST_P(StateManagerSteps, ARaisedLimitLetsTheStepBegin) {
  begun(ask("1", 10));
  EXPECT_EQ(begun(ask("2")).outcome, kRefused);
  auto raised = ask("2");
  for (BudgetScope& scope : raised.scopes) scope.calls = 11;
  EXPECT_EQ(begun(raised).outcome, kBegun);
}

StepFinish word(const std::string& ordinal, const std::string& text, std::uint64_t epoch = 1) {
  StepFinish kept = ended(ordinal, StepStatus::sent, 1, epoch);
  kept.response = text;
  return kept;
}

TEST_P(StateManagerSteps, ATryThatIsOutKeepsAWordAndIsTakenUpAsItIs) {
  begun(ask("1"));
  finish(word("1", "\"batch 7\""));
  EXPECT_EQ(steps().at(0).status, StepStatus::sent);
  auto next = ask("1", 10, 1);  // its reservation stands: no budget is asked again
  next.take_up = true;
  auto taken = begun(next);
  EXPECT_EQ(taken.outcome, kBegun);
  EXPECT_EQ(taken.record.tries, 1);
  EXPECT_EQ(taken.record.response, "\"batch 7\"");
  EXPECT_EQ(use(), (BudgetUse{{}, {.usd_micros = 100, .tokens = 1'000, .calls = 1, .wall_ms = 60'000}}));
  finish(answer("1"));
  EXPECT_EQ(use().spent.calls, 1);
  EXPECT_EQ(steps().at(0).usage.unknown_calls, 0);
  EXPECT_EQ(code(run(states->finish_step(word("1", "late")))), ErrorCode::conflict);
  EXPECT_EQ(begun(next).record.response, "\"yes\"");
}

TEST_P(StateManagerSteps, AnotherQuestionOrAnEndedTryIsNotTakenUp) {
  begun(ask("1"));
  auto other = ask("1");
  other.take_up = true;
  other.request_digest = "another";
  EXPECT_EQ(begun(other).record.tries, 2);
  EXPECT_EQ(use().spent.calls, 1);  // the first is charged as unknown
  begun(ask("2"));
  finish(ended("2", StepStatus::failed));
  auto again = ask("2");
  again.take_up = true;
  EXPECT_EQ(begun(again).record.tries, 2);
}

TEST_P(StateManagerSteps, SenselessFinishesAreRefused) {
  EXPECT_EQ(code(run(states->finish_step(answer("1")))), ErrorCode::not_found);
  begun(ask("1"));
  EXPECT_EQ(code(run(states->finish_step(answer("1", 2)))), ErrorCode::not_found);
  auto negative = answer("1");
  negative.usage.usd_micros = -1;
  EXPECT_EQ(code(run(states->finish_step(negative))), ErrorCode::invalid_argument);
  auto gift = ask("2");
  gift.worst_case.tokens = -5;
  EXPECT_EQ(code(run(states->begin_step(gift))), ErrorCode::invalid_argument);
}

TEST_P(StateManagerSteps, AWorkflowsStepsAreListedInOrderOfFirstBegin) {
  begun(ask("2"));
  auto elsewhere = ask("1");
  elsewhere.id.attempt.task = TaskId("a-test");
  begun(elsewhere);
  begun(ask("1"));
  begun(ask("2"));  // its second try: its place stays
  std::string order;
  for (const StepRecord& record : run(states->list_steps(WorkflowId("wf-a"))).value())
    order += record.id.attempt.task.value + record.id.ordinal + " ";
  EXPECT_EQ(order, "code2 a-test1 code1 ");
  EXPECT_EQ(steps().size(), 2U);
  EXPECT_EQ(run(states->list_steps(WorkflowId("wf-b"))).value().size(), 0U);
}

// --- I5 ----------------------------------------------------------------------------------------------------------------

struct InFlight {
  StepFinish finish;
  Amounts worst;
};

task<void> begin_into(StateManager& states, StepBegin step, std::vector<InFlight>& flying) {
  const Amounts worst = step.worst_case;
  const std::uint64_t epoch = step.epoch;
  auto result = co_await states.begin_step(std::move(step));
  if (result && result->outcome == kBegun)
    flying.push_back({{.id = result->record.id, .try_number = result->record.tries, .epoch = epoch}, worst});
}
task<void> finish_quietly(StateManager& states, StepFinish finish) {
  (void)co_await states.finish_step(std::move(finish));
}

/// Everything the records say was spent or is held must be what the scope says, and within the limit.
void expect_within_limits(const std::vector<StepRecord>& records, const BudgetUse& use, std::int64_t calls, std::int64_t tokens) {
  Amounts spent;
  Amounts reserved;
  for (const StepRecord& record : records) {
    spent.usd_micros += record.usage.usd_micros;
    spent.tokens += record.usage.input_tokens + record.usage.output_tokens;
    spent.calls += record.usage.calls;
    spent.wall_ms += record.usage.wall_ms;
    reserved.usd_micros += record.reserved.usd_micros;
    reserved.tokens += record.reserved.tokens;
    reserved.calls += record.reserved.calls;
    reserved.wall_ms += record.reserved.wall_ms;
  }
  EXPECT_EQ(use, (BudgetUse{spent, reserved}));
  EXPECT_LE(use.spent.calls + use.reserved.calls, calls);
  EXPECT_LE(use.spent.tokens + use.reserved.tokens, tokens);
}

TEST_P(StateManagerSteps, NoBudgetIsOverrunWhateverBeginsFinishesOrCrashes) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 chance(seed);
    const auto pick = [&](int most) { return static_cast<int>(chance() % static_cast<unsigned>(most)); };
    const WorkflowId workflow("wf-" + std::to_string(seed));
    begin(workflow.value);
    std::uint64_t epoch = 1;
    const std::string scope = "workflow/" + workflow.value;
    std::vector<InFlight> flying;
    for (int turn = 0; turn < 40; ++turn) {
      runtime::TaskScope together(loop);
      for (int i = pick(6); i >= 0; --i) {
        StepBegin step = ask(std::to_string(1 + pick(6)), 1 + pick(3), epoch);
        step.id.attempt.workflow = workflow;
        step.request_digest = pick(8) == 0 ? "changed" : "same";
        step.scopes = {{.key = scope, .tokens = 20'000, .calls = 25}};
        together.spawn(begin_into(*states, step, flying));
      }
      for (int i = pick(6); i > 0 && !flying.empty(); --i) {
        const auto at = flying.begin() + pick(static_cast<int>(flying.size()));
        StepFinish finish = at->finish;
        finish.status = std::array{StepStatus::answered, StepStatus::failed, StepStatus::unknown}[static_cast<std::size_t>(pick(3))];
        if (finish.status == StepStatus::answered)
          finish.usage = {
              .calls = at->worst.calls, .input_tokens = at->worst.tokens / (1 + pick(4)), .usd_micros = pick(100), .wall_ms = 1};
        if (pick(2) == 0) flying.erase(at);  // else it may be said again, differently
        together.spawn(finish_quietly(*states, finish));
      }
      run(together.join());
      if (pick(10) == 0) {
        store->crash(std::move(states));
        states = store->attach();
        epoch = run(states->claim(workflow, "9@again")).value().epoch;
      }
      expect_within_limits(run(states->list_steps(workflow)).value(), use(scope), 25, 20'000);
    }
  }
}

TEST(Ordinals, AreInProgramOrder) {
  const std::vector<std::string> order{"1", "2", "3", "3.0", "3.1", "3.1.4", "3.10", "4", "10", "10.2"};
  for (std::size_t a = 0; a < order.size(); ++a)
    for (std::size_t b = 0; b < order.size(); ++b)
      EXPECT_EQ(core::ordinal_before(order[a], order[b]), a < b) << order[a] << " " << order[b];
}

}  // namespace
}  // namespace conductorai::test
