#include "integrations/llm/fallback.hpp"

#include <gtest/gtest.h>

#include "integrations/llm/call_stack.hpp"
#include "tests/support/llm_fixture.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;
using std::chrono::seconds;

struct Fallback : ::testing::Test {
  runtime::SimLoop loop;
  infrastructure::MemoryStateManager states;
  runtime::BudgetTurns turns{states};
  infrastructure::MemoryArtifactStore artifacts;
  CountingEntropy entropy;
  CannedLLM first, second;
  ModelBreaker breaker{loop, "openai m", {.failures_to_open = 2, .open_for = seconds(30)}};
  CallAccount account{.epoch = 1, .limits = {}, .agent = AgentId("coding-01")};
  std::vector<std::string> notices;
  RetryOptions retries{.retries = 0};

  /// A fresh stack each time, as after a crash.
  Result<LLMResponse> ask(LLMRequest request) {
    auto stack = make_call_stack(
        {.states = states,
         .turns = turns,
         .artifacts = artifacts,
         .clock = loop,
         .entropy = entropy,
         .notice = [this](const LLMCaller&, std::string text) { notices.push_back(std::move(text)); }},
        {{.name = "openai m", .provider = first, .breaker = &breaker}, {.name = "anthropic n", .model = "n", .provider = second}}, retries,
        account);
    return runtime::run_to_end(loop, stack->chat(std::move(request)));
  }
  std::vector<std::string> ordinals() {
    std::vector<std::string> all;
    for (const StepRecord& step : *runtime::run_to_end(loop, states.list_steps(WorkflowId("wf-1"))))
      all.push_back(step.id.ordinal + " " + std::string(to_string(step.status)));
    return all;
  }
};

TEST_F(Fallback, AsksTheNextModelUnderAStepOfItsOwnAndSaysSo) {
  first.answers.push_back(std::unexpected(transient(ErrorCode::unavailable)));
  second.answers.push_back(text_answer("from the second"));
  auto request = request_of("coding", "hi", "3");
  request.model = "m";
  auto answer = ask(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(first.asked.at(0).model + second.asked.at(0).model, "mn");
  EXPECT_EQ(answer->text, "from the second");
  EXPECT_EQ(ordinals(), (std::vector<std::string>{"3 failed", "3f1 answered"}));
  EXPECT_EQ(notices, std::vector<std::string>{"openai m cannot answer (for now): asking anthropic n"});
}

TEST_F(Fallback, AnAnswerOfTheSecondModelIsNotBoughtAgainThoughTheFirstIsBack) {
  first.answers.push_back(std::unexpected(transient(ErrorCode::unavailable)));
  second.answers.push_back(text_answer("paid"));
  ASSERT_TRUE(ask(request_of("coding", "hi", "3")));
  first.answers.push_back(text_answer("would be bought"));
  auto again = ask(request_of("coding", "hi", "3"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, "paid");
  EXPECT_EQ(first.asked.size(), 1u);
  EXPECT_EQ(second.asked.size(), 1u);
}

TEST_F(Fallback, AnOpenBreakerKeepsBackNoAnswerThatIsPaid) {
  first.answers.push_back(text_answer("paid"));
  ASSERT_TRUE(ask(request_of("coding", "hi", "1")));
  for (int i = 0; i < 2; ++i) breaker.ended(ModelBreaker::Admission::normal, ModelBreaker::Outcome::bad);
  auto again = ask(request_of("coding", "hi", "1"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, "paid");
}

TEST_F(Fallback, ABreakerThatIsOpenCostsNoStepAndNoWait) {
  for (int i = 0; i < 2; ++i) breaker.ended(ModelBreaker::Admission::normal, ModelBreaker::Outcome::bad);
  second.answers.push_back(text_answer("ok"));
  retries.retries = 2;
  ASSERT_TRUE(ask(request_of("coding", "hi", "1")));
  EXPECT_TRUE(first.asked.empty());
  EXPECT_EQ(loop.steady_now().time_since_epoch().count(), 0);
  EXPECT_EQ(ordinals(), std::vector<std::string>{"1f1 answered"});
}

TEST_F(Fallback, WhatIsWrongEverywhereIsAskedOnce) {
  first.answers.push_back(std::unexpected(Error{.code = ErrorCode::invalid_argument, .message = "400"}));
  auto wrong = ask(request_of("coding", "hi"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(second.asked.empty());
}

TEST_F(Fallback, AUsedUpBudgetIsUsedUpForTheWholeChain) {
  account.limits.workflow.tokens = 10;
  auto refused = ask(request_of("coding", "hi"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::budget_exhausted);
  EXPECT_TRUE(first.asked.empty() && second.asked.empty());
}

TEST_F(Fallback, WhenNoneCanAnswerEachIsNamedAndTheSoonestWaitCounts) {
  first.answers.push_back(
      std::unexpected(Error{.code = ErrorCode::rate_limited, .message = "429", .retry = Retry::after, .retry_after = seconds(7)}));
  second.answers.push_back(std::unexpected(Error{.code = ErrorCode::permission_denied, .message = "401", .hint = "the key"}));
  auto failed = ask(request_of("coding", "hi"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "none of 2 models could answer; openai m: 429; anthropic n: 401");
  EXPECT_EQ(failed.error().retry, Retry::after);
  EXPECT_EQ(failed.error().retry_after, seconds(7));
  EXPECT_EQ(failed.error().hint, "the key");
}

TEST_F(Fallback, AFollowUpOfTheSecondModelHasAStepOfItsOwnToo) {
  for (int i = 0; i < 2; ++i) first.answers.push_back(std::unexpected(transient(ErrorCode::timeout)));
  second.answers.push_back(text_answer("three"));
  second.answers.push_back(text_answer("{\"n\":3}"));
  auto request = request_of("review", "count");
  request.answer_schema = R"({"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}})";
  auto answer = ask(request);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(ordinals(), (std::vector<std::string>{"1 unknown", "1f1 answered", "1.1 unknown", "1.1f1 answered"}));
}

}  // namespace
}  // namespace conductorai::integrations
