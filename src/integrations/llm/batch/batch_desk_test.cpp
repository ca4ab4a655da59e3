#include "integrations/llm/batch/batch_desk.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "core/json_codec.hpp"
#include "integrations/llm/call_stack.hpp"
#include "tests/support/llm_fixture.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;
using std::chrono::hours;
using std::chrono::seconds;

std::string id_of(const std::string& ordinal) {
  return to_string(request_of("coding", "").caller.attempt) + "/" + ordinal;
}

Error refused() {
  return {.code = ErrorCode::invalid_argument, .message = "status 400"};
}

/// Batches in memory; a test ends them.
struct FakeBatches final : BatchService {
  struct Made {
    std::string name;
    std::vector<BatchEntry> entries;
    bool ended = false, cancelled = false;
  };
  struct World {
    std::map<std::string, Made> batches;
    std::deque<Error> submit_errors, look_errors;
    bool keep_after_error = false;  // the batch is made although its submission seems to fail
    bool names = true;
    int looks = 0, finds = 0;
    std::map<std::string, BatchLine> odd_lines;
    std::set<std::string> missing;
  };
  explicit FakeBatches(World& of) : world(of) {}
  World& world;

  [[nodiscard]] std::string_view provider() const override { return "fake"; }
  [[nodiscard]] std::string custom_id(const std::string& step) const override { return step; }
  task<Result<std::string>> submit(std::string name, std::vector<BatchEntry> entries) override {
    if (!world.submit_errors.empty()) {
      Error error = world.submit_errors.front();
      world.submit_errors.pop_front();
      if (world.keep_after_error) world.batches["b" + std::to_string(world.batches.size() + 1)] = {.name = name, .entries = entries};
      co_return fail(error);
    }
    const std::string id = "b" + std::to_string(world.batches.size() + 1);
    world.batches[id] = {.name = std::move(name), .entries = std::move(entries)};
    co_return id;
  }
  task<Result<std::string>> find(std::string name) override {
    ++world.finds;
    if (!world.names) co_return fail(ErrorCode::unsupported, "no names");
    for (const auto& [id, batch] : world.batches)
      if (batch.name == name) co_return id;
    co_return std::string();
  }
  task<Result<BatchLook>> look(std::string id) override {
    ++world.looks;
    if (!world.look_errors.empty()) {
      Error error = world.look_errors.front();
      world.look_errors.pop_front();
      co_return fail(error);
    }
    co_return BatchLook{.ended = world.batches.at(id).ended, .refused = {}, .results = {id}};
  }
  task<Result<BatchLines>> results(BatchLook ended) override {
    BatchLines lines;
    for (const BatchEntry& entry : world.batches.at(ended.results.front()).entries) {
      if (world.missing.contains(entry.id)) continue;
      const auto odd = world.odd_lines.find(entry.id);
      lines[entry.id] =
          odd != world.odd_lines.end() ? odd->second : BatchLine{.status = 200, .body = "answer to " + entry.body, .error = {}};
    }
    co_return lines;
  }
  task<Result<void>> cancel(std::string id) override {
    world.batches.at(id).cancelled = world.batches.at(id).ended = true;
    co_return Result<void>{};
  }
};

/// Asks the desk as a provider over HTTP does.
class DeskProvider final : public BaseLLMProvider {
 public:
  explicit DeskProvider(BatchDesk& desk) : desk_(desk) {}
  [[nodiscard]] std::string_view name() const override { return "fake"; }
  task<Result<LLMResponse>> chat(LLMRequest request) override {
    auto line = co_await desk_.ask(
        {.entry = {.id = to_string(request.caller.attempt) + "/" + request.caller.ordinal, .body = request.messages[0].text},
         .ticket = request.ticket,
         .keep = request.keep_ticket});
    if (!line) co_return fail(line.error());
    if (line->error) co_return fail(*line->error);
    co_return text_answer(*line->body.as_string());
  }

 private:
  BatchDesk& desk_;
};

struct Desk : ::testing::Test {
  runtime::SimLoop loop;
  std::shared_ptr<infrastructure::MemoryStore> disk = infrastructure::make_memory_store();
  infrastructure::MemoryStateManager states{disk};
  runtime::BudgetTurns turns{states};
  infrastructure::MemoryArtifactStore artifacts;
  CountingEntropy entropy;
  FakeBatches::World world;
  BatchOptions options;
  CallAccount account{.epoch = 1, .limits = {.workflow = {.calls = 100, .wall_ms = 60'000}}, .agent = AgentId("coding-01")};
  std::map<std::string, Result<LLMResponse>> answers;  // by ordinal

  /// A process: its desk, its provider, its attempts.
  struct Life {
    Desk& test;
    BatchDesk desk;
    DeskProvider provider{desk};
    CancelSource cancel;
    runtime::TaskScope attempts;
    explicit Life(Desk& t)
        : test(t),
          desk({.executor = t.loop, .clock = t.loop, .entropy = t.entropy}, std::make_unique<FakeBatches>(t.world), t.options),
          attempts(t.loop) {}
    void ask(const std::string& ordinal, CancelSource& with) { attempts.spawn(one(*this, ordinal), with); }
    void ask(const std::string& ordinal) { ask(ordinal, cancel); }
    static task<void> one(Life& life, std::string ordinal) {
      CallTarget target{.name = "fake", .provider = life.provider, .waits = true};
      auto stack = make_call_stack({.states = life.test.states,
                                    .turns = life.test.turns,
                                    .artifacts = life.test.artifacts,
                                    .clock = life.test.loop,
                                    .entropy = life.test.entropy},
                                   {target}, {.retries = 1}, life.test.account);
      auto answer = co_await stack->chat(request_of("coding", "question " + ordinal, ordinal));
      life.test.answers.insert_or_assign(ordinal, answer);
    }
    void end() {
      runtime::run_to_end(test.loop, attempts.join());
      runtime::run_to_end(test.loop, desk.close());
    }
    /// As SIGINT does.
    void stop() {
      desk.leave();
      cancel.cancel();
      end();
    }
  };

  std::vector<StepRecord> steps() { return *runtime::run_to_end(loop, states.list_steps(WorkflowId("wf-1"))); }
  BudgetUse use() { return *runtime::run_to_end(loop, states.budget_use("workflow/wf-1")); }
  std::string text(const std::string& ordinal) {
    const auto found = answers.find(ordinal);
    if (found == answers.end()) return "none";
    return found->second ? found->second->text : std::string(to_string(found->second.error().code));
  }
  void end_all() {
    for (auto& [id, batch] : world.batches) batch.ended = true;
  }
};

TEST_F(Desk, GathersTheCallsOfAWindowIntoOneBatchAndGivesEachItsLine) {
  Life life(*this);
  for (int i = 1; i <= 20; ++i) life.ask(std::to_string(i));
  loop.advance(seconds(2));
  ASSERT_EQ(world.batches.size(), 1u);
  EXPECT_EQ(world.batches.at("b1").entries.size(), 20u);
  EXPECT_EQ(use().reserved.calls, 20);
  EXPECT_EQ(use().reserved.wall_ms, 0);  // what waits for hours holds no minutes back
  loop.advance(hours(3));
  EXPECT_TRUE(answers.empty());
  end_all();
  loop.advance(seconds(121));
  life.end();
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(text(std::to_string(i)), "answer to question " + std::to_string(i));
  EXPECT_EQ(use().spent.calls, 20);
  EXPECT_EQ(use().reserved.calls, 0);
  for (const StepRecord& step : steps()) EXPECT_EQ(step.status, StepStatus::answered);
}

TEST_F(Desk, SendsAFullBatchAtOnce) {
  options.calls_max = 3;
  Life life(*this);
  for (int i = 1; i <= 7; ++i) life.ask(std::to_string(i));
  loop.settle();
  EXPECT_EQ(world.batches.size(), 2u);
  loop.advance(seconds(2));
  ASSERT_EQ(world.batches.size(), 3u);
  EXPECT_EQ(world.batches.at("b3").entries.size(), 1u);
  end_all();
  loop.advance(seconds(20));
  life.end();
}

TEST_F(Desk, LooksAtABatchLessOftenAsItLastsLonger) {
  Life life(*this);
  life.ask("1");
  loop.advance(hours(1));
  EXPECT_GT(world.looks, 30);
  EXPECT_LT(world.looks, 40);  // 10 s, growing to two minutes
  end_all();
  loop.advance(seconds(121));
  life.end();
}

TEST_F(Desk, StoppedItLeavesItsBatchAndTheNextLifeBuysNothingTwice) {
  {
    Life life(*this);
    life.ask("1");
    life.ask("2");
    loop.advance(seconds(5));
    life.stop();
  }
  EXPECT_FALSE(world.batches.at("b1").cancelled);
  for (const StepRecord& step : steps()) EXPECT_EQ(step.status, StepStatus::sent);
  answers.clear();
  Life next(*this);
  next.ask("1");
  next.ask("2");
  loop.settle();
  end_all();
  loop.advance(seconds(20));
  next.end();
  EXPECT_EQ(text("1") + ", " + text("2"), "answer to question 1, answer to question 2");
  EXPECT_EQ(world.batches.size(), 1u);
  EXPECT_EQ(use().spent.calls, 2);
  for (const StepRecord& step : steps()) EXPECT_EQ(step.usage.unknown_calls, 0);
}

TEST_F(Desk, FindsABatchByItsNameWhereNobodyLearntItsId) {
  world.submit_errors.push_back({.code = ErrorCode::timeout, .message = "no answer", .retry = Retry::backoff});
  world.keep_after_error = true;
  Life life(*this);
  life.ask("1");
  loop.advance(seconds(12));
  end_all();
  loop.advance(seconds(60));
  life.end();
  EXPECT_EQ(text("1"), "answer to question 1");
  EXPECT_EQ(world.batches.size(), 1u);
  EXPECT_EQ(steps().at(0).usage.unknown_calls, 0);
}

TEST_F(Desk, WhatIsNotFoundByItsNameIsChargedAsUnknownAndBoughtAnew) {
  world.submit_errors.push_back({.code = ErrorCode::timeout, .message = "no answer", .retry = Retry::backoff});
  Life life(*this);
  life.ask("1");
  loop.advance(seconds(60));
  EXPECT_EQ(world.finds, 2);  // a list may lag
  end_all();
  loop.advance(seconds(60));
  life.end();
  EXPECT_EQ(text("1"), "answer to question 1");
  EXPECT_EQ(steps().at(0).usage.unknown_calls, 1);
  EXPECT_EQ(use().spent.calls, 2);
}

TEST_F(Desk, WithoutNamesAnUnknownSubmissionIsChargedAsUnknown) {
  world.names = false;
  for (int i = 0; i < 2; ++i) world.submit_errors.push_back({.code = ErrorCode::timeout, .message = "no answer", .retry = Retry::backoff});
  Life life(*this);
  life.ask("1");
  loop.advance(hours(1));
  life.end();
  EXPECT_EQ(text("1"), "invalid_answer");
  EXPECT_EQ(steps().at(0).usage.unknown_calls, 2);
}

TEST_F(Desk, ARefusedBatchCostsNothingAndFailsEachOfItsCalls) {
  world.submit_errors.push_back(refused());
  Life life(*this);
  life.ask("1");
  life.ask("2");
  loop.advance(seconds(5));
  life.end();
  EXPECT_EQ(text("1") + ", " + text("2"), "invalid_argument, invalid_argument");
  EXPECT_EQ(use(), BudgetUse{});
}

TEST_F(Desk, ATransientRefusalIsTriedAgainInANewBatch) {
  world.submit_errors.push_back(transient(ErrorCode::rate_limited));
  Life life(*this);
  life.ask("1");
  loop.advance(seconds(10));
  end_all();
  loop.advance(seconds(20));
  life.end();
  EXPECT_EQ(text("1"), "answer to question 1");
  EXPECT_EQ(use().spent.calls, 1);
}

TEST_F(Desk, EachLineFailsByItself) {
  world.odd_lines[id_of("2")] = {.status = 0, .body = {}, .error = refused()};
  world.missing.insert(id_of("3"));
  Life life(*this);
  for (const char* ordinal : {"1", "2", "3"}) life.ask(ordinal);
  loop.advance(seconds(5));
  end_all();
  loop.advance(seconds(12));
  world.missing.clear();  // the third is charged as unknown and asks anew
  loop.advance(seconds(12));
  end_all();
  loop.advance(seconds(60));
  life.end();
  EXPECT_EQ(text("1") + ", " + text("2") + ", " + text("3"), "answer to question 1, invalid_argument, answer to question 3");
  EXPECT_EQ(world.batches.size(), 2u);
}

TEST_F(Desk, TheLastCallThatIsGivenUpCancelsItsBatch) {
  Life life(*this);
  CancelSource second;
  life.ask("1");
  life.ask("2", second);
  loop.advance(seconds(5));
  life.cancel.cancel();
  loop.settle();
  EXPECT_FALSE(world.batches.at("b1").cancelled);
  second.cancel();
  loop.settle();
  EXPECT_TRUE(world.batches.at("b1").cancelled);
  life.end();
  EXPECT_EQ(text("1"), "cancelled");
}

TEST_F(Desk, WhoIsGivenUpWithinTheWindowIsNotSent) {
  Life life(*this);
  CancelSource second;
  life.ask("1");
  life.ask("2", second);
  loop.settle();
  second.cancel();
  loop.advance(seconds(5));
  ASSERT_EQ(world.batches.size(), 1u);
  EXPECT_EQ(world.batches.at("b1").entries.size(), 1u);
  end_all();
  loop.advance(seconds(20));
  life.end();
  EXPECT_EQ(text("1"), "answer to question 1");
}

TEST_F(Desk, PastItsTimeABatchIsCancelledAndWhatWasAnsweredCounts) {
  options.timeout = hours(1);
  world.odd_lines[id_of("2")] = {.status = 0, .body = {}, .error = Error{.code = ErrorCode::unavailable, .message = "not made"}};
  Life life(*this);
  life.ask("1");
  life.ask("2");
  loop.advance(hours(1) + seconds(150));
  EXPECT_TRUE(world.batches.at("b1").cancelled);
  life.end();
  EXPECT_EQ(text("1") + ", " + text("2"), "answer to question 1, unavailable");
  EXPECT_EQ(use().spent.calls, 1);
}

TEST_F(Desk, PassingTroubleIsLookedPastAndAKeyThatIsRefusedLeavesTheCallWaiting) {
  world.look_errors = {transient(ErrorCode::unavailable), transient(ErrorCode::rate_limited),
                       Error{.code = ErrorCode::permission_denied, .message = "status 401"}};
  {
    Life life(*this);
    life.ask("1");
    loop.advance(hours(1));
    life.end();
  }
  ASSERT_FALSE(answers.at("1"));
  EXPECT_EQ(answers.at("1").error().where, kLeftWaiting);
  EXPECT_EQ(steps().at(0).status, StepStatus::sent);
  end_all();
  Life next(*this);
  next.ask("1");
  loop.settle();
  next.end();
  EXPECT_EQ(text("1"), "answer to question 1");
  EXPECT_EQ(world.batches.size(), 1u);
}

}  // namespace
}  // namespace conductorai::integrations
