#include "runtime/budget_turns.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "infrastructure/state/memory_state_manager.hpp"
#include "runtime/scope.hpp"
#include "runtime/sim_loop.hpp"

namespace conductorai::runtime {
namespace {

using namespace std::chrono_literals;

/// A store that takes its time before and after each write, as a writer of its own thread does.
class SlowStates final : public infrastructure::MemoryStateManager {
 public:
  SlowStates(Clock& clock, std::uint32_t seed) : clock_(clock), random_(seed) {}
  bool slow = false;
  task<Result<StepBegun>> begin_step(StepBegin step) override {
    co_await pause();
    auto begun = co_await MemoryStateManager::begin_step(std::move(step));
    co_await pause();
    co_return begun;
  }
  task<Result<void>> finish_step(StepFinish step) override {
    co_await pause();
    auto done = co_await MemoryStateManager::finish_step(std::move(step));
    co_await pause();
    co_return done;
  }

 private:
  task<void> pause() {
    if (slow) (void)co_await sleep_for(clock_, Milliseconds(random_() % 20));
  }
  Clock& clock_;
  std::mt19937 random_;
};

/// A step of a test: what it asks for, what it costs in the end, and how it went.
struct Use {
  std::string name;
  std::vector<BudgetScope> limits;
  Amounts asks, costs;
  Milliseconds takes{100};
  std::optional<Result<StepBegun>> begun{};
  bool settled = false;
};

StepBegin begin_of(const Use& use) {
  return {.id = {{WorkflowId("wf-1"), TaskId(use.name), 1, 1}, "1"},
          .kind = "llm",
          .request_digest = "d",
          .worst_case = use.asks,
          .scopes = use.limits,
          .epoch = 1};
}
StepFinish finish_of(const Use& use) {
  return {.id = begin_of(use).id,
          .usage = {.input_tokens = use.costs.tokens, .wall_ms = use.costs.wall_ms},
          .response = "1",
          .tree = {},
          .epoch = 1};
}
bool began(const Use& use) {
  return use.begun && *use.begun && (*use.begun)->outcome == StepBegun::Outcome::begun;
}
std::string refusal(const Use& use) {
  return use.begun && *use.begun ? (*use.begun)->refusal : "none";
}

struct Play {
  SimLoop loop;
  SlowStates states{loop, 1};
  BudgetTurns turns{states};
  TaskScope scope{loop};
  std::deque<Use> uses;
  std::int64_t elsewhere = 0;  // held in "s" by another process

  static task<void> perform(Play& play, Use& use) {
    BudgetTurns::UnderWay under_way;
    use.begun = co_await play.turns.begin(begin_of(use), under_way);
    if (!began(use)) co_return;
    (void)co_await sleep_for(play.loop, use.takes);
    auto finish = shielded(play.states.finish_step(finish_of(use)));
    use.settled = (co_await std::move(finish)).has_value();
  }
  Use& add(Use use) { return uses.emplace_back(std::move(use)); }
  Use& start(Use& use, CancelSource* cancel = nullptr) {
    scope.spawn(perform(*this, use), cancel != nullptr ? *cancel : scope.cancel_source());
    return use;
  }
  [[nodiscard]] BudgetUse used(const std::string& key) { return *run_to_end(loop, states.budget_use(key)); }
};

/// Of a budget of 1,000 tokens.
Use tokens(std::string name, std::int64_t asks, std::int64_t costs) {
  return {.name = std::move(name), .limits = {{.key = "s", .tokens = 1'000}}, .asks = {.tokens = asks}, .costs = {.tokens = costs}};
}

struct Turns : ::testing::Test, Play {
  Use& started(Use use, CancelSource* cancel = nullptr) {
    Use& one = start(add(std::move(use)), cancel);
    loop.settle();
    return one;
  }
  ~Turns() override {
    run_to_end(loop, scope.join());
    EXPECT_EQ(used("s").reserved, left_reserved);
  }
  Amounts left_reserved;
};

TEST_F(Turns, AStepThatFitsOnceAnotherHasSettledWaitsForIt) {
  Use& first = started(tokens("a", 800, 100));
  Use& second = started(tokens("b", 800, 100));
  EXPECT_TRUE(began(first));
  EXPECT_FALSE(second.begun);
  loop.advance(100ms);
  EXPECT_TRUE(began(second));
}

TEST_F(Turns, WhatIsUsedUpIsRefusedAtOnceAndWhenItTurnsOutToBe) {
  Use& first = started(tokens("a", 800, 800));
  Use& waits = started(tokens("b", 201, 1));
  Use& never = started(tokens("c", 1'001, 1));
  EXPECT_EQ(refusal(never), "s: tokens: 0 of 1000 used, 800 held for calls under way, 1001 more asked");
  EXPECT_FALSE(waits.begun);
  loop.advance(100ms);
  EXPECT_TRUE(first.settled);
  EXPECT_EQ(refusal(waits), "s: tokens: 800 of 1000 used, 201 more asked");
}

TEST_F(Turns, ThoseThatWaitBeginInOrderAsManyAsFit) {
  started(tokens("a", 1'000, 0));
  Use& second = started(tokens("b", 500, 0));
  Use& third = started(tokens("c", 500, 0));
  Use& fourth = started(tokens("d", 500, 0));
  loop.advance(100ms);
  EXPECT_TRUE(began(second) && began(third));
  EXPECT_FALSE(fourth.begun);
  loop.advance(100ms);
  EXPECT_TRUE(began(fourth));
}

TEST_F(Turns, WhoIsCancelledWhileItWaitsGivesItsPlaceUp) {
  started(tokens("a", 800, 0));
  CancelSource cancel(&scope.cancel_source());
  Use& large = started(tokens("b", 1'000, 0), &cancel);
  Use& small = started(tokens("c", 500, 0));
  cancel.cancel();
  loop.settle();
  ASSERT_TRUE(large.begun && !*large.begun);
  EXPECT_EQ(large.begun->error().code, ErrorCode::cancelled);
  loop.advance(100ms);
  EXPECT_TRUE(began(small));
}

TEST_F(Turns, WhatAnotherProcessHoldsIsNotWaitedFor) {
  ASSERT_TRUE(run_to_end(loop, states.begin_step(begin_of(tokens("a", 800, 0)))));
  left_reserved.tokens = 800;
  Use& here = started(tokens("b", 800, 0));
  EXPECT_EQ(refusal(here), "s: tokens: 0 of 1000 used, 800 held for calls under way, 800 more asked");
}

TEST_F(Turns, AWallBudgetGivesWhatIsLeftAndThenWaits) {
  const auto wall = [&](std::string name) {
    return Use{
        .name = std::move(name), .limits = {{.key = "s", .wall_ms = 60'000}}, .asks = {.wall_ms = 40'000}, .costs = {.wall_ms = 5'000}};
  };
  Use& first = started(wall("a"));
  Use& second = started(wall("b"));
  Use& third = started(wall("c"));
  ASSERT_TRUE(began(first) && began(second));
  EXPECT_EQ((*second.begun)->record.reserved.wall_ms, 20'000);
  EXPECT_FALSE(third.begun);
  loop.advance(100ms);
  ASSERT_TRUE(began(third));
  EXPECT_EQ((*third.begun)->record.reserved.wall_ms, 35'000);  // the second still runs
}

/// Few steps or many under one or two limits, some cancelled, over a slow store.
void play_at_random(std::mt19937& random, Play& play) {
  std::deque<CancelSource> cancels;
  std::vector<std::unique_ptr<Timer>> timers;
  if (play.elsewhere > 0) (void)run_to_end(play.loop, play.states.begin_step(begin_of(tokens("elsewhere", play.elsewhere, 0))));
  play.states.slow = true;
  const std::uint32_t steps = 2 + random() % (random() % 4 == 0 ? 40 : 5);
  for (std::uint32_t i = 0; i < steps; ++i) {
    Use& use = play.add(tokens("t" + std::to_string(i), 1 + random() % 600, random() % 30));
    use.takes = Milliseconds(random() % 50);
    if (random() % 2 == 0) use.limits.push_back({.key = "t", .tokens = 700});
    if (random() % 3 == 0) use.limits.erase(use.limits.begin());
    CancelSource& cancel = cancels.emplace_back(&play.scope.cancel_source());
    timers.push_back(play.loop.call_after(Milliseconds(random() % 200), [&play, &use, &cancel] { play.start(use, &cancel); }));
    if (random() % 5 == 0) timers.push_back(play.loop.call_after(Milliseconds(random() % 300), [&cancel] { cancel.cancel(); }));
  }
  play.loop.advance(1min);
}

TEST(TurnsAtRandom, NobodyIsForgottenAndNoLimitPassed) {
  int began_after_all = 0;
  for (std::uint32_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Play play;
    play.elsewhere = seed % 2 == 0 ? 500 : 0;
    play_at_random(random, play);
    for (const Use& use : play.uses) {
      ASSERT_TRUE(use.begun) << use.name;
      EXPECT_EQ(use.settled, began(use)) << use.name;
      if (*use.begun && play.elsewhere == 0) EXPECT_EQ((*use.begun)->held_in, "") << refusal(use);
      began_after_all += began(use) ? 1 : 0;
    }
    for (const auto& [key, limit] : {std::pair("s", 1'000), std::pair("t", 700)}) {
      EXPECT_EQ(play.used(key).reserved.tokens, key == std::string_view("s") ? play.elsewhere : 0);
      EXPECT_LE(play.used(key).spent.tokens, limit);
    }
    run_to_end(play.loop, play.scope.join());
  }
  EXPECT_GT(began_after_all, 4'000);
}

}  // namespace
}  // namespace conductorai::runtime
