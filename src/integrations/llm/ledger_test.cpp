#include "integrations/llm/ledger.hpp"

#include <gtest/gtest.h>

#include "integrations/llm/call_stack.hpp"
#include "tests/support/llm_fixture.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;

struct Ledger : ::testing::Test {
  runtime::SimLoop loop;
  std::shared_ptr<infrastructure::MemoryStore> disk = infrastructure::make_memory_store();
  infrastructure::MemoryStateManager states{disk};
  runtime::BudgetTurns turns{states};
  infrastructure::MemoryArtifactStore artifacts;
  CannedLLM model;
  CallAccount account{.epoch = 1, .limits = {}, .agent = AgentId("coding-01")};

  Result<LLMResponse> ask(LLMRequest request) {
    LedgerProvider ledger({.inner = model, .states = states, .turns = turns, .artifacts = artifacts, .clock = loop}, account);
    return runtime::run_to_end(loop, ledger.chat(std::move(request)));
  }
  std::vector<StepRecord> steps() { return *runtime::run_to_end(loop, states.list_steps(WorkflowId("wf-1"))); }
};

TEST_F(Ledger, GivesARecordedAnswerAgainWithoutSending) {
  model.answers.push_back(text_answer("hello"));
  auto first = ask(request_of("coding", "hi"));
  auto second = ask(request_of("coding", "hi"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(model.asked.size(), 1u);
}

TEST_F(Ledger, KeepsALargeAnswerAsAnArtifactAndGivesItAgain) {
  model.answers.push_back(text_answer(std::string(200'000, 'x')));
  auto first = ask(request_of("coding", "hi"));
  ASSERT_EQ(steps().size(), 1u);
  EXPECT_LT(steps()[0].response.size(), 1'000u);
  auto second = ask(request_of("coding", "hi"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->text, second->text);
  EXPECT_EQ(model.asked.size(), 1u);
}

TEST_F(Ledger, AsksAnewWhenTheRequestIsAnotherOne) {
  model.answers.push_back(text_answer("one"));
  model.answers.push_back(text_answer("two"));
  ASSERT_TRUE(ask(request_of("coding", "hi")));
  auto other = ask(request_of("coding", "bye"));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->text, "two");
}

TEST_F(Ledger, ChargesNothingForADefiniteRefusalAndTheWorstCaseForAnUnknownOutcome) {
  model.answers.push_back(std::unexpected(transient(ErrorCode::rate_limited)));
  EXPECT_FALSE(ask(request_of("coding", "hi", "1")));
  model.answers.push_back(std::unexpected(transient(ErrorCode::timeout)));
  EXPECT_FALSE(ask(request_of("coding", "hi", "2")));
  auto all = steps();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].status, StepStatus::failed);
  EXPECT_EQ(all[0].usage, Usage{});
  EXPECT_EQ(all[1].status, StepStatus::unknown);
  EXPECT_EQ(all[1].usage.unknown_calls, 1);
}

TEST_F(Ledger, RefusesWhatABudgetDoesNotHold) {
  account.limits.workflow.calls = 1;
  model.answers.push_back(text_answer("one"));
  ASSERT_TRUE(ask(request_of("coding", "hi", "1")));
  auto refused = ask(request_of("coding", "hi", "2"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::budget_exhausted);
  EXPECT_NE(refused.error().message.find("calls"), std::string::npos);
  EXPECT_EQ(model.asked.size(), 1u);
}

class FailingStates final : public infrastructure::MemoryStateManager {
 public:
  int failures = 0;
  task<Result<void>> finish_step(StepFinish step) override {
    if (failures-- > 0) co_return fail(ErrorCode::resource_exhausted, "disk full");
    auto done = co_await MemoryStateManager::finish_step(std::move(step));
    co_return done;
  }
};

TEST_F(Ledger, HoldsAnAnswerThatCannotBeWrittenYet) {
  FailingStates failing;
  failing.failures = 3;
  runtime::BudgetTurns failing_turns(failing);
  model.answers.push_back(text_answer("kept"));
  LedgerProvider ledger({.inner = model, .states = failing, .turns = failing_turns, .artifacts = artifacts, .clock = loop}, account);
  auto answer = runtime::run_to_end(loop, ledger.chat(request_of("coding", "hi")));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "kept");
  auto again = runtime::run_to_end(loop, ledger.chat(request_of("coding", "hi")));
  ASSERT_TRUE(again);
  EXPECT_EQ(model.asked.size(), 1u);
}

task<void> chat_into(BaseLLMProvider& provider, LLMRequest request, std::optional<Result<LLMResponse>>& out) {
  out = co_await provider.chat(std::move(request));
}

class NeverLLM final : public BaseLLMProvider {
 public:
  explicit NeverLLM(Clock& clock) : clock_(clock) {}
  [[nodiscard]] std::string_view name() const override { return "never"; }
  task<Result<LLMResponse>> chat(LLMRequest) override {
    auto slept = co_await sleep_for(clock_, std::chrono::hours(1));
    co_return fail(slept ? Error{} : slept.error());
  }

 private:
  Clock& clock_;
};

TEST_F(Ledger, SettlesACancelledCallAsUnknown) {
  NeverLLM never(loop);
  LedgerProvider ledger({.inner = never, .states = states, .turns = turns, .artifacts = artifacts, .clock = loop}, account);
  runtime::TaskScope scope(loop);
  std::optional<Result<LLMResponse>> out;
  scope.spawn(chat_into(ledger, request_of("coding", "hi"), out));
  loop.settle();
  scope.cancel();
  runtime::run_to_end(loop, scope.join());
  ASSERT_TRUE(out && !*out);
  EXPECT_EQ(out->error().code, ErrorCode::cancelled);
  ASSERT_EQ(steps().size(), 1u);
  EXPECT_EQ(steps()[0].status, StepStatus::unknown);
}

class SlowLLM final : public BaseLLMProvider {
 public:
  SlowLLM(Clock& clock, Milliseconds takes) : clock_(clock), takes_(takes) {}
  [[nodiscard]] std::string_view name() const override { return "slow"; }
  task<Result<LLMResponse>> chat(LLMRequest) override {
    auto slept = co_await sleep_for(clock_, takes_);
    if (!slept) co_return fail(slept.error());
    co_return conductorai::testing::text_answer("at last");
  }

 private:
  Clock& clock_;
  Milliseconds takes_;
};

TEST_F(Ledger, ACallCountsTheTimeItTookAgainstTheWallBudget) {
  account.limits.workflow.wall_ms = 600'000;
  SlowLLM slow(loop, Milliseconds(7'000));
  LedgerProvider ledger({.inner = slow, .states = states, .turns = turns, .artifacts = artifacts, .clock = loop}, account);
  std::optional<Result<LLMResponse>> out;
  runtime::TaskScope scope(loop);
  scope.spawn(chat_into(ledger, request_of("coding", "hi"), out));
  loop.advance(Milliseconds(1'000));
  EXPECT_EQ(runtime::run_to_end(loop, states.budget_use("workflow/wf-1"))->reserved.wall_ms, 120'000);
  loop.advance(Milliseconds(10'000));
  ASSERT_TRUE(out && *out);
  const auto use = runtime::run_to_end(loop, states.budget_use("workflow/wf-1"));
  EXPECT_EQ(use->spent.wall_ms, 7'000);
  EXPECT_EQ(use->reserved.wall_ms, 0);
}

TEST_F(Ledger, ACallTakesNoLongerThanTheWallBudgetLeaves) {
  account.limits.workflow.wall_ms = 5'000;
  SlowLLM slow(loop, Milliseconds(7'000));
  LedgerProvider ledger({.inner = slow, .states = states, .turns = turns, .artifacts = artifacts, .clock = loop}, account);
  std::optional<Result<LLMResponse>> out;
  runtime::TaskScope scope(loop);
  scope.spawn(chat_into(ledger, request_of("coding", "hi"), out));
  loop.advance(Milliseconds(5'000));
  ASSERT_TRUE(out && !*out);
  EXPECT_EQ(out->error().code, ErrorCode::timeout);
  EXPECT_EQ(runtime::run_to_end(loop, states.budget_use("workflow/wf-1"))->spent.wall_ms, 5'000);
  std::optional<Result<LLMResponse>> again;
  scope.spawn(chat_into(ledger, request_of("coding", "hi", "2"), again));
  loop.settle();
  ASSERT_TRUE(again && !*again);
  EXPECT_EQ(again->error().code, ErrorCode::budget_exhausted);
}

struct Stack : Ledger {
  CountingEntropy entropy;
  RetryOptions retries;
  Result<LLMResponse> ask_stack(LLMRequest request) {
    auto stack = make_call_stack({.inner = model, .states = states, .turns = turns, .artifacts = artifacts, .clock = loop}, entropy,
                                 retries, account);
    return runtime::run_to_end(loop, stack->chat(std::move(request)));
  }
};

TEST_F(Stack, TriesATransientErrorAgainAsAnotherTryOfTheSameStep) {
  model.answers.push_back(std::unexpected(transient(ErrorCode::unavailable)));
  model.answers.push_back(std::unexpected(transient(ErrorCode::rate_limited)));
  model.answers.push_back(text_answer("at last"));
  auto answer = ask_stack(request_of("coding", "hi"));
  ASSERT_TRUE(answer);
  ASSERT_EQ(steps().size(), 1u);
  EXPECT_EQ(steps()[0].tries, 3);
  EXPECT_EQ(steps()[0].usage.calls, 1);
}

TEST_F(Stack, GivesUpAfterItsRetriesAndNeverRetriesWhatCannotHelp) {
  for (int i = 0; i < 3; ++i) model.answers.push_back(std::unexpected(transient(ErrorCode::unavailable)));
  EXPECT_EQ(ask_stack(request_of("coding", "hi", "1")).error().code, ErrorCode::unavailable);
  EXPECT_EQ(model.asked.size(), 3u);
  model.answers.push_back(std::unexpected(Error{.code = ErrorCode::invalid_argument, .message = "400"}));
  EXPECT_EQ(ask_stack(request_of("coding", "hi", "2")).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(model.asked.size(), 4u);
}

TEST_F(Stack, WaitsAsLongAsItIsAskedTo) {
  model.answers.push_back(std::unexpected(
      Error{.code = ErrorCode::rate_limited, .message = "429", .retry = Retry::after, .retry_after = std::chrono::seconds(7)}));
  model.answers.push_back(text_answer("ok"));
  const auto before = loop.steady_now();
  ASSERT_TRUE(ask_stack(request_of("coding", "hi")));
  EXPECT_GE(loop.steady_now() - before, std::chrono::seconds(7));
}

constexpr std::string_view kSchema = R"({"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}})";

TEST_F(Stack, QuotesTheViolationAndTakesTheCorrectedAnswer) {
  model.answers.push_back(text_answer(R"({"n":"three"})"));
  model.answers.push_back(text_answer("Of course:\n```json\n{\"n\": 3}\n```\n"));
  auto request = request_of("review", "count");
  request.answer_schema = kSchema;
  auto answer = ask_stack(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, R"({"n":3})");
  ASSERT_EQ(model.asked.size(), 2u);
  EXPECT_NE(model.asked[1].messages.back().text.find('n'), std::string::npos);
  ASSERT_EQ(steps().size(), 2u);
  EXPECT_EQ(steps()[1].id.ordinal, "1.1");
}

TEST_F(Stack, FailsAsInvalidAnswerAfterTwoFollowUps) {
  for (int i = 0; i < 3; ++i) model.answers.push_back(text_answer("I passed, trust me"));
  auto request = request_of("review", "count");
  request.answer_schema = kSchema;
  auto answer = ask_stack(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid_answer);
  EXPECT_EQ(model.asked.size(), 3u);
}

TEST_F(Stack, HandsOnATurnThatCallsToolsWithoutHoldingItToTheSchema) {
  auto turn = text_answer("let me look");
  turn.finish = FinishReason::tool_calls;
  turn.tool_calls = {{.id = "1", .name = "read_file", .arguments = Object{{"path", "a.py"}}}};
  model.answers.push_back(turn);
  auto request = request_of("review", "count");
  request.answer_schema = kSchema;
  auto answer = ask_stack(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->tool_calls.size(), 1u);
  EXPECT_EQ(model.asked.size(), 1u);
}

TEST_F(Stack, AsksNotAgainWhereAskingWouldNotHelp) {
  for (const FinishReason finish : {FinishReason::length, FinishReason::content_filter, FinishReason::refusal}) {
    auto cut = text_answer(R"({"n":)");
    cut.finish = finish;
    model.answers.push_back(cut);
    auto request = request_of("review", "count", std::to_string(static_cast<int>(finish) + 1));
    request.answer_schema = kSchema;
    auto answer = ask_stack(request);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::invalid_answer);
  }
  EXPECT_EQ(model.asked.size(), 3u);
}

TEST_F(Stack, AFollowUpQuotesWholeCharactersAndNeverNothing) {
  std::string umlauts;
  for (int i = 0; i < 1'500; ++i) umlauts += "ä";  // 2,000 bytes end within one where it is shifted by one
  model.answers.push_back(text_answer("x" + umlauts));
  model.answers.push_back(text_answer(""));
  model.answers.push_back(text_answer(R"({"n":1})"));
  auto request = request_of("review", "count");
  request.answer_schema = kSchema;
  ASSERT_TRUE(ask_stack(request));
  const auto& messages = model.asked[2].messages;
  const std::string& quoted = messages[messages.size() - 4].text;
  EXPECT_EQ(quoted.substr(quoted.size() - 5), "ä…");
  EXPECT_NE(messages[messages.size() - 2].text, "");
}

TEST_F(Stack, FollowsUpAsOftenAsItIsToldTo) {
  account.follow_ups = 0;
  model.answers.push_back(text_answer("I passed, trust me"));
  auto request = request_of("review", "count");
  request.answer_schema = kSchema;
  EXPECT_EQ(ask_stack(request).error().code, ErrorCode::invalid_answer);
  EXPECT_EQ(model.asked.size(), 1u);
}

TEST(AnswerSchema, NamesWhereAnAnswerBreaksIt) {
  EXPECT_EQ(*schema_violation(kSchema, R"({"n":3,"verdict":"passed"})"), "");
  EXPECT_NE(*schema_violation(kSchema, R"({"n":3.5})"), "");
  EXPECT_NE(*schema_violation(kSchema, "[]"), "");
  EXPECT_FALSE(schema_violation("{\"type\":", "{}"));
}

}  // namespace
}  // namespace conductorai::integrations
