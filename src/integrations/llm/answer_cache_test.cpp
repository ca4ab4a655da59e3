#include "integrations/llm/answer_cache.hpp"

#include <gtest/gtest.h>

#include "integrations/llm/call_stack.hpp"
#include "tests/support/llm_fixture.hpp"
#include "tests/support/temp_folder.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Answers after a second, by number.
class CountingLLM final : public BaseLLMProvider {
 public:
  explicit CountingLLM(Clock& clock) : clock_(clock) {}
  int asked = 0;
  std::optional<Error> error;
  FinishReason finish = FinishReason::stop;
  [[nodiscard]] std::string_view name() const override { return "counting"; }
  task<Result<LLMResponse>> chat(LLMRequest) override {
    const int number = ++asked;
    auto slept = co_await sleep_for(clock_, seconds(1));
    if (!slept) co_return fail(slept.error());
    if (error) co_return fail(*error);
    LLMResponse answer = text_answer("answer " + std::to_string(number));
    answer.finish = finish;
    co_return answer;
  }

 private:
  Clock& clock_;
};

task<void> ask_into(BaseLLMProvider& provider, LLMRequest request, std::vector<std::string>& out) {
  auto answer = co_await provider.chat(std::move(request));
  out.push_back(answer ? answer->text : std::string(to_string(answer.error().code)));
}

struct Cache : ::testing::Test {
  runtime::SimLoop loop;
  TempFolder folder;
  CountingLLM model{loop};
  CacheOptions options{.folder = folder.path() / "llm-cache", .ttl = hours(1)};
  std::unique_ptr<AnswerCache> cache = std::make_unique<AnswerCache>(loop, options);

  void restart() { cache = std::make_unique<AnswerCache>(loop, options); }
  Result<LLMResponse> ask(LLMRequest request, std::string service = "openai") {
    CachingProvider provider(model, *cache, std::move(service));
    return runtime::run_to_end(loop, provider.chat(std::move(request)));
  }
  std::string said(const std::string& text) { return ask(request_of("coding", text))->text; }
  [[nodiscard]] std::int64_t bytes_kept() const {
    std::int64_t all = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options.folder))
      if (entry.is_regular_file()) all += static_cast<std::int64_t>(entry.file_size());
    return all;
  }
};

TEST_F(Cache, GivesAnAnswerAgainForNothingAndSaysSo) {
  EXPECT_EQ(ask(request_of("coding", "hi"))->usage.cached_calls, 0);
  auto again = ask(request_of("coding", "hi", "9", 2));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, "answer 1");
  EXPECT_EQ(again->usage, (Usage{.cached_calls = 1}));
  EXPECT_EQ(model.asked, 1);
}

TEST_F(Cache, EveryPartOfTheRequestCounts) {
  (void)ask(request_of("coding", "hi"));
  auto request = request_of("coding", "hi");
  request.output_tokens_max = 7;
  (void)ask(request);
  request = request_of("coding", "hi");
  request.model = "other";
  (void)ask(request);
  request = request_of("coding", "hi");
  request.tools = {{.name = "t", .description = {}, .parameters_schema = "{}"}};
  (void)ask(request);
  (void)ask(request_of("coding", "hi"), "anthropic");
  EXPECT_EQ(model.asked, 5);
}

TEST_F(Cache, OutlivesTheProcessUntilItIsTooOld) {
  EXPECT_EQ(said("hi"), "answer 1");
  restart();
  EXPECT_EQ(said("hi"), "answer 1");
  loop.advance(hours(1));
  EXPECT_EQ(said("hi"), "answer 2");
  restart();
  EXPECT_EQ(said("hi"), "answer 2");
}

TEST_F(Cache, AnAnswerFromTheFutureIsAskedForAnewAndOneTooOldIsToo) {
  JumpingClock clock(loop);
  cache = std::make_unique<AnswerCache>(clock, options);
  EXPECT_EQ(said("hi"), "answer 1");
  clock.ahead = -hours(5);
  EXPECT_EQ(said("hi"), "answer 2");
  EXPECT_EQ(said("hi"), "answer 2");
  clock.ahead = hours(5);
  EXPECT_EQ(said("hi"), "answer 3");
  clock.ahead = Milliseconds(0);
  cache = std::make_unique<AnswerCache>(clock, options);  // what is on disk is judged alike
  EXPECT_EQ(said("hi"), "answer 4");
  EXPECT_EQ(said("hi"), "answer 4");
}

TEST_F(Cache, TheSameQuestionAtTheSameTimeIsAskedOnce) {
  CachingProvider provider(model, *cache, "openai");
  runtime::TaskScope scope(loop);
  std::vector<std::string> out;
  for (int i = 0; i < 5; ++i) scope.spawn(ask_into(provider, request_of("coding", "hi"), out));
  runtime::run_to_end(loop, scope.join());
  EXPECT_EQ(out, std::vector<std::string>(5, "answer 1"));
  EXPECT_EQ(model.asked, 1);
}

TEST_F(Cache, WhenTheOneWhoAsksGivesUpTheNextOneAsks) {
  CachingProvider provider(model, *cache, "openai");
  runtime::TaskScope scope(loop);
  CancelSource gives_up(&scope.cancel_source());
  std::vector<std::string> out;
  scope.spawn(ask_into(provider, request_of("coding", "hi"), out), gives_up);
  for (int i = 0; i < 2; ++i) scope.spawn(ask_into(provider, request_of("coding", "hi"), out));
  loop.settle();
  gives_up.cancel();
  runtime::run_to_end(loop, scope.join());
  EXPECT_EQ(out, (std::vector<std::string>{"cancelled", "answer 2", "answer 2"}));
}

TEST_F(Cache, ErrorsAndAnswersThatAreNotWholeAreNotKept) {
  model.error = transient(ErrorCode::unavailable);
  EXPECT_FALSE(ask(request_of("coding", "hi")));
  model.error.reset();
  for (const FinishReason finish : {FinishReason::length, FinishReason::refusal, FinishReason::content_filter}) {
    model.finish = finish;
    EXPECT_EQ(ask(request_of("coding", "hi"))->usage.cached_calls, 0);
  }
  EXPECT_EQ(model.asked, 4);
}

TEST_F(Cache, ASecondAttemptAsksAnewAndItsAnswerCountsFromThenOn) {
  (void)ask(request_of("coding", "hi"));
  EXPECT_EQ(ask(request_of("coding", "hi", "1", 1, 2))->text, "answer 2");
  EXPECT_EQ(said("hi"), "answer 2");
}

TEST_F(Cache, StaysBelowItsSizeByForgettingWhatIsOldest) {
  options.bytes_max = 4'000;
  restart();
  for (int i = 0; i < 50; ++i) (void)said("question " + std::to_string(i));
  EXPECT_LE(bytes_kept(), 4'000);
  EXPECT_GT(bytes_kept(), 1'000);
}

TEST_F(Cache, BrokenFilesAreNoAnswers) {
  EXPECT_EQ(said("hi"), "answer 1");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.folder))
    if (entry.is_regular_file()) write_file(entry.path(), "{\"at_ms\":17");
  restart();
  EXPECT_EQ(said("hi"), "answer 2");
}

TEST_F(Cache, WhatCannotBeWrittenIsStillAnswered) {
  options.folder = "/proc/no-such-folder";
  restart();
  EXPECT_EQ(said("hi"), "answer 1");
}

TEST_F(Cache, AHitIsAStepThatCostsNothingAndGoesPastAnOpenBreaker) {
  infrastructure::MemoryStateManager states;
  runtime::BudgetTurns turns{states};
  infrastructure::MemoryArtifactStore artifacts;
  CountingEntropy entropy;
  ModelBreaker breaker(loop, "openai m", {.failures_to_open = 1});
  const auto stack = [&] {
    return make_call_stack({.states = states, .turns = turns, .artifacts = artifacts, .clock = loop, .entropy = entropy},
                           {{.name = "openai m",
                             .provider = model,
                             .price = Price{.input = 1'000'000, .output = 1'000'000},
                             .breaker = &breaker,
                             .cache = cache.get()}},
                           {}, {.epoch = 1, .limits = {.workflow = {.usd_micros = 1'000'000}}, .agent = AgentId("x-01")});
  };
  ASSERT_TRUE(runtime::run_to_end(loop, stack()->chat(request_of("coding", "hi", "1"))));
  const auto paid = runtime::run_to_end(loop, states.budget_use("workflow/wf-1"))->spent;
  EXPECT_GT(paid.usd_micros, 0);
  breaker.ended(ModelBreaker::Admission::normal, ModelBreaker::Outcome::bad);
  auto hit = runtime::run_to_end(loop, stack()->chat(request_of("coding", "hi", "2")));
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->usage.cached_calls, 1);
  const auto after = runtime::run_to_end(loop, states.budget_use("workflow/wf-1"))->spent;
  EXPECT_EQ(std::tie(after.usd_micros, after.tokens, after.calls), std::tie(paid.usd_micros, paid.tokens, paid.calls));
}

}  // namespace
}  // namespace conductorai::integrations
