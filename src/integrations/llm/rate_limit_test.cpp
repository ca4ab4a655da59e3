#include "integrations/llm/rate_limit.hpp"

#include <gtest/gtest.h>

#include "tests/support/llm_fixture.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Turn {
  std::string who;
  Instant at;
};
task<void> queue_up(RateLimiter& limiter, Clock& clock, std::string who, std::int64_t tokens, std::vector<Turn>& turns) {
  auto turn = co_await limiter.take(tokens);
  turns.push_back({turn ? who : who + ": " + std::string(to_string(turn.error().code)), clock.steady_now()});
}

struct Limiter : ::testing::Test {
  runtime::SimLoop loop;
  runtime::TaskScope scope{loop};
  std::vector<Turn> turns;
  std::unique_ptr<RateLimiter> limiter;

  void use(Pace pace) { limiter = std::make_unique<RateLimiter>(loop, pace); }
  void arrive(const std::string& who, std::int64_t tokens = 1) { scope.spawn(queue_up(*limiter, loop, who, tokens, turns)); }
  void TearDown() override {
    scope.cancel();
    runtime::run_to_end(loop, scope.join());
  }
  [[nodiscard]] std::string order() const {
    std::string all;
    for (const Turn& turn : turns) all += (all.empty() ? "" : " ") + turn.who;
    return all;
  }
  /// Milliseconds at which the turns came.
  [[nodiscard]] std::vector<std::int64_t> times() const {
    std::vector<std::int64_t> all;
    all.reserve(turns.size());
    for (const Turn& turn : turns) all.push_back(std::chrono::duration_cast<milliseconds>(turn.at.time_since_epoch()).count());
    return all;
  }
};

TEST_F(Limiter, LetsAMinutesWorthGoAtOnceAndThenEvenly) {
  use({.requests_per_minute = 6});
  for (int i = 0; i < 9; ++i) arrive(std::to_string(i));
  loop.settle();
  EXPECT_EQ(turns.size(), 6u);
  loop.advance(minutes(1));
  EXPECT_EQ(order(), "0 1 2 3 4 5 6 7 8");
  EXPECT_EQ(times(), (std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 10'000, 20'000, 30'000}));
}

task<void> ask_with_patience(RateLimiter& limiter, Milliseconds longest, std::string& outcome) {
  auto turn = co_await limiter.take(1, "lane", longest);
  outcome = turn ? "its turn" : std::string(to_string(turn.error().code));
}

TEST_F(Limiter, WhoHasAnotherModelLeftWaitsForNoLongPause) {
  use({});
  limiter->heed(429, {{"retry-after", "60"}});
  std::string impatient, patient;
  scope.spawn(ask_with_patience(*limiter, seconds(5), impatient));
  scope.spawn(ask_with_patience(*limiter, Milliseconds::max(), patient));
  loop.settle();
  EXPECT_EQ(impatient, "rate_limited");
  EXPECT_EQ(patient, "");
  loop.advance(minutes(1));
  EXPECT_EQ(patient, "its turn");
}

task<void> ask_in(RateLimiter& limiter, Clock& clock, std::string lane, std::vector<Turn>& turns) {
  auto turn = co_await limiter.take(1, lane);
  turns.push_back({turn ? lane : "cancelled", clock.steady_now()});
}

TEST_F(Limiter, AManyHeadedTaskLeavesEveryOtherTaskItsTurn) {
  use({.requests_per_minute = 60});
  const auto ask = [&](const char* lane) { scope.spawn(ask_in(*limiter, loop, lane, turns)); };
  for (int i = 0; i < 60; ++i) arrive("start");
  loop.settle();
  turns.clear();
  for (int i = 0; i < 100; ++i) ask("many");
  loop.settle();
  for (int i = 0; i < 3; ++i) ask("one");
  ask("other");
  loop.settle();
  loop.advance(seconds(8));
  EXPECT_EQ(order(), "many one other many one many one many");
  loop.advance(minutes(2));
  EXPECT_EQ(turns.size(), 104u);  // and loses none of its own
}

TEST_F(Limiter, ALaneThatIsGivenUpHoldsNobodyBack) {
  use({.requests_per_minute = 60});
  for (int i = 0; i < 60; ++i) arrive("start");
  loop.settle();
  turns.clear();
  CancelSource cancel;
  for (int i = 0; i < 3; ++i) scope.spawn(ask_in(*limiter, loop, "given up", turns), cancel);
  for (int i = 0; i < 2; ++i) scope.spawn(ask_in(*limiter, loop, "stays", turns));
  loop.settle();
  cancel.cancel();
  loop.advance(seconds(2));
  EXPECT_EQ(order(), "cancelled cancelled cancelled stays stays");
}

TEST(Lanes, AllItemsOfAForeachShareOne) {
  LLMCaller caller{.attempt = {WorkflowId("wf-1"), TaskId("fan[3]"), 1, 1}, .agent_type = "coding", .ordinal = "1"};
  EXPECT_EQ(lane_of(caller), "wf-1/fan");
  caller.attempt.task = TaskId("fan");
  EXPECT_EQ(lane_of(caller), "wf-1/fan");
}

TEST_F(Limiter, IsFirstComeFirstServedHoweverMuchSomebodyWants) {
  use({.tokens_per_minute = 600});
  arrive("a", 600);
  arrive("large", 300);
  arrive("small", 1);
  loop.advance(minutes(2));
  EXPECT_EQ(order(), "a large small");
  EXPECT_EQ(times()[1], 30'000);
}

TEST_F(Limiter, ACallLargerThanAMinuteGoesWithAFullMinuteAndIsPaidOffAfterwards) {
  use({.tokens_per_minute = 600});
  arrive("huge", 1'200);
  arrive("next", 1);
  loop.settle();
  EXPECT_EQ(order(), "huge");
  loop.advance(seconds(59));
  EXPECT_EQ(order(), "huge");
  loop.advance(seconds(2));
  EXPECT_EQ(order(), "huge next");
}

TEST_F(Limiter, WhatWasEstimatedTooHighGoesBackToThoseWhoWait) {
  use({.tokens_per_minute = 600});
  arrive("a", 600);
  arrive("b", 500);
  loop.settle();
  limiter->settle(600, 100);
  loop.settle();
  EXPECT_EQ(order(), "a b");
}

TEST_F(Limiter, AnAbandonedPlaceInTheQueueCostsNothing) {
  use({.requests_per_minute = 1});
  arrive("a");
  loop.settle();
  CancelSource gives_up(&scope.cancel_source());
  scope.spawn(queue_up(*limiter, loop, "b", 1, turns), gives_up);
  arrive("c");
  loop.advance(seconds(30));
  gives_up.cancel();
  loop.advance(seconds(31));
  EXPECT_EQ(order(), "a b: cancelled c");
}

TEST_F(Limiter, HeedsWhatOpenAiSaysIsLeft) {
  use({});
  limiter->heed(200, {{"x-ratelimit-remaining-requests", "1"}, {"x-ratelimit-reset-requests", "6s"}});
  arrive("a");
  arrive("b");
  loop.advance(minutes(1));
  EXPECT_EQ(times(), (std::vector<std::int64_t>{0, 6'000}));
}

TEST_F(Limiter, HeedsWhatAnthropicSaysIsLeft) {
  use({});
  limiter->heed(200, {{"anthropic-ratelimit-tokens-remaining", "100"},
                      {"anthropic-ratelimit-tokens-limit", "1000"},
                      {"anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:20Z"}});
  arrive("small", 50);
  arrive("large", 5'000);
  loop.advance(minutes(1));
  EXPECT_EQ(times(), (std::vector<std::int64_t>{0, 20'000}));
}

TEST_F(Limiter, AWallClockThatJumpsChangesNoTurn) {
  JumpingClock clock(loop);
  limiter = std::make_unique<RateLimiter>(clock, Pace{.requests_per_minute = 6});
  for (int i = 0; i < 9; ++i) arrive(std::to_string(i));
  for (const auto jump : {-std::chrono::hours(24), std::chrono::hours(48), -std::chrono::hours(24)}) {
    clock.ahead += jump;
    loop.advance(seconds(11));
  }
  EXPECT_EQ(times(), (std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 10'000, 20'000, 30'000}));
}

TEST_F(Limiter, DatesOfAServiceCountByItsOwnClock) {
  for (const auto ahead : {-std::chrono::hours(5), std::chrono::hours(5)}) {
    turns.clear();
    const auto begin = std::chrono::duration_cast<milliseconds>(loop.steady_now().time_since_epoch()).count();
    JumpingClock clock(loop);
    clock.ahead = ahead;
    limiter = std::make_unique<RateLimiter>(clock, Pace{});
    limiter->heed(200, {{"date", "Sat, 01 Mar 2025 12:00:00 GMT"},
                        {"anthropic-ratelimit-input-tokens-remaining", "0"},
                        {"anthropic-ratelimit-input-tokens-reset", "2025-03-01T12:00:20Z"}});
    arrive("a");
    loop.advance(minutes(1));
    EXPECT_EQ(order(), "a");
    EXPECT_EQ(times(), std::vector<std::int64_t>{begin + 20'000});
  }
}

TEST_F(Limiter, APauseAskedForHoldsForAllAndALongOneIsSaidInsteadOfWaitedFor) {
  use({});
  limiter->heed(429, {{"retry-after-ms", "1500"}});
  arrive("a");
  arrive("b");
  loop.advance(seconds(2));
  EXPECT_EQ(times(), (std::vector<std::int64_t>{1'500, 1'500}));
  limiter->heed(429, {{"retry-after", "3600"}});
  arrive("c");
  loop.settle();
  EXPECT_EQ(order(), "a b c: rate_limited");
}

TEST_F(Limiter, AnAnswerThatCountsLessThanItsWorstCaseGivesTheRestBack) {
  use({.tokens_per_minute = 20'000});
  CannedLLM model;
  for (int i = 0; i < 3; ++i) model.answers.push_back(text_answer("ok"));
  RateLimitedProvider provider(model, *limiter);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(runtime::run_to_end(loop, provider.chat(request_of("coding", "hi"))));
  EXPECT_EQ(loop.steady_now().time_since_epoch().count(), 0);  // 16,384 reserved each, 15 used
}

TEST(RateHeaders, DurationsAreReadAsServicesWriteThem) {
  EXPECT_EQ(told_duration("6m0s"), minutes(6));
  EXPECT_EQ(told_duration("1h2m3.5s"), milliseconds(3'723'500));
  EXPECT_EQ(told_duration("20ms"), milliseconds(20));
  EXPECT_EQ(told_duration("7.66s"), milliseconds(7'660));
  EXPECT_EQ(told_duration("2"), seconds(2));
  for (const char* wrong : {"", "soon", "-1s", "1e9", "nan", "5x", "99999999h"}) EXPECT_EQ(told_duration(wrong), std::nullopt) << wrong;
}

TEST(RateHeaders, NonsenseIsNoLimit) {
  const ToldLimits told = told_limits(200,
                                      {{"x-ratelimit-remaining-requests", "many"},
                                       {"x-ratelimit-reset-requests", "1s"},
                                       {"anthropic-ratelimit-tokens-remaining", "-5"},
                                       {"anthropic-ratelimit-tokens-reset", "yesterday"},
                                       {"retry-after", "30"}},
                                      Timestamp{});
  EXPECT_FALSE(told.requests);
  EXPECT_FALSE(told.tokens);
  EXPECT_FALSE(told.pause);  // an answer was given: nothing to wait for
}

}  // namespace
}  // namespace conductorai::integrations
