#include "integrations/llm/breaker.hpp"

#include <gtest/gtest.h>

#include "tests/support/llm_fixture.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;
using std::chrono::seconds;

struct Breaker : ::testing::Test {
  runtime::SimLoop loop;
  CannedLLM model;
  ModelBreaker state{loop, "openai m", {.failures_to_open = 3, .open_for = seconds(30)}};

  Result<LLMResponse> ask() {
    BreakerProvider provider(model, state);
    return runtime::run_to_end(loop, provider.chat(request_of("coding", "hi")));
  }
  void fail_with(ErrorCode code, int times) {
    for (int i = 0; i < times; ++i) model.answers.push_back(std::unexpected(transient(code)));
    for (int i = 0; i < times; ++i) (void)ask();
  }
};

TEST_F(Breaker, AsksNoMoreAfterFailuresInARowAndSaysForHowLong) {
  fail_with(ErrorCode::unavailable, 3);
  loop.advance(seconds(10));
  auto refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(model.asked.size(), 3u);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_EQ(refused.error().retry, Retry::after);
  EXPECT_EQ(refused.error().retry_after, seconds(20));
  EXPECT_NE(refused.error().message.find("openai m failed 3 times"), std::string::npos) << refused.error().message;
}

TEST_F(Breaker, ASuccessBetweenStartsTheCountAfresh) {
  fail_with(ErrorCode::timeout, 2);
  model.answers.push_back(text_answer("ok"));
  ASSERT_TRUE(ask());
  fail_with(ErrorCode::timeout, 2);
  model.answers.push_back(text_answer("ok"));
  EXPECT_TRUE(ask());
}

TEST_F(Breaker, LimitsWrongRequestsAndCancellationsSayNothingOfTheModel) {
  for (const ErrorCode code : {ErrorCode::rate_limited, ErrorCode::invalid_argument, ErrorCode::permission_denied, ErrorCode::cancelled,
                               ErrorCode::budget_exhausted})
    fail_with(code, 5);
  model.answers.push_back(text_answer("ok"));
  EXPECT_TRUE(ask());
}

TEST_F(Breaker, OneCallTriesItAndItsAnswerClosesIt) {
  fail_with(ErrorCode::unavailable, 3);
  loop.advance(seconds(30));
  auto probe = state.admit();
  ASSERT_TRUE(probe);
  EXPECT_EQ(*probe, ModelBreaker::Admission::probe);
  EXPECT_FALSE(state.admit());  // beside the probe
  state.ended(*probe, ModelBreaker::Outcome::good);
  EXPECT_EQ(state.admit().value(), ModelBreaker::Admission::normal);
}

TEST_F(Breaker, AFailedProbeOpensItForTheWholeTimeAgainAndACancelledOneMakesRoomForTheNext) {
  fail_with(ErrorCode::unavailable, 3);
  loop.advance(seconds(30));
  auto first = state.admit();
  ASSERT_TRUE(first);
  state.ended(*first, ModelBreaker::Outcome::unrelated);
  auto second = state.admit();
  ASSERT_TRUE(second);
  state.ended(*second, ModelBreaker::Outcome::bad);
  auto refused = state.admit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry_after, seconds(30));
}

TEST_F(Breaker, FailuresOfCallsUnderWayWhenItOpenedDoNotProlongIt) {
  auto late = state.admit();
  ASSERT_TRUE(late);
  fail_with(ErrorCode::unavailable, 3);
  loop.advance(seconds(20));
  state.ended(*late, ModelBreaker::Outcome::bad);
  loop.advance(seconds(10));
  EXPECT_TRUE(state.admit());
}

}  // namespace
}  // namespace conductorai::integrations
