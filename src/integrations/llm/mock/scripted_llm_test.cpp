#include "integrations/llm/mock/scripted_llm.hpp"

#include <gtest/gtest.h>

#include "integrations/llm/call_stack.hpp"
#include "integrations/llm/mock/stock_llm.hpp"
#include "tests/support/llm_fixture.hpp"

namespace conductorai::integrations {
namespace {

using namespace conductorai::testing;

Script script_of(std::string_view text) {
  auto script = parse_script(text, "answers.yaml");
  EXPECT_TRUE(script) << to_string(script.error());
  return script.value_or(Script{});
}

/// A process with the mock behind the whole stack; `crash` forgets all but the disk.
struct Scripted : ::testing::Test {
  runtime::SimLoop loop;
  std::shared_ptr<infrastructure::MemoryStore> disk = infrastructure::make_memory_store();
  std::unique_ptr<infrastructure::MemoryStateManager> states = std::make_unique<infrastructure::MemoryStateManager>(disk);
  std::unique_ptr<runtime::BudgetTurns> turns = std::make_unique<runtime::BudgetTurns>(*states);
  infrastructure::MemoryArtifactStore artifacts;
  CountingEntropy entropy;
  std::unique_ptr<ScriptedLLM> mock;
  std::string text;

  void use(std::string script) {
    text = std::move(script);
    start();
  }
  void start() {
    auto recorded = runtime::run_to_end(loop, states->list_steps(WorkflowId("wf-1")));
    mock = std::make_unique<ScriptedLLM>(loop, script_of(text), recorded.value_or(std::vector<StepRecord>{}));
  }
  void crash() {
    mock.reset();
    states = std::make_unique<infrastructure::MemoryStateManager>(disk);
    turns = std::make_unique<runtime::BudgetTurns>(*states);
    start();
  }
  std::unique_ptr<BaseLLMProvider> stack() {
    return make_call_stack({.inner = *mock, .states = *states, .turns = *turns, .artifacts = artifacts, .clock = loop, .notes = mock.get()},
                           entropy, {}, {.epoch = 1, .limits = {}, .agent = AgentId("x-01")});
  }
  Result<LLMResponse> ask(LLMRequest request) {
    auto provider = stack();
    return runtime::run_to_end(loop, provider->chat(std::move(request)));
  }
  std::string said(LLMRequest request) {
    auto answer = ask(std::move(request));
    return answer ? answer->text : std::string(to_string(answer.error().code)) + ": " + answer.error().message;
  }
};

TEST_F(Scripted, FirstMatchingRuleThatIsNotUsedUpAnswers) {
  use(R"(
- { match: { agent: review }, reply: { text: review }, times: any }
- { match: { agent: coding, round: 2 }, reply: { text: second } }
- { match: { agent: coding }, reply: { text: one } }
- { match: { prompt: "Sp[ae]m" }, reply: { text: spam } }
- { match: { task: code, attempt: 2, call: 1 }, reply: { text: again } }
)");
  EXPECT_EQ(said(request_of("coding", "x", "1", 2)), "second");
  EXPECT_EQ(said(request_of("coding", "x", "1", 1)), "one");
  EXPECT_EQ(said(request_of("coding", "some Spam here", "2", 1)), "spam");
  EXPECT_EQ(said(request_of("coding", "x", "1", 1, 2)), "again");
  EXPECT_EQ(said(request_of("review", "x", "3", 1)), "review");
  EXPECT_EQ(said(request_of("review", "x", "4", 1)), "review");
}

TEST_F(Scripted, NamesWhoAskedWhenNoRuleAnswersAndIsNotRetried) {
  use("- { match: { agent: coding }, reply: { text: one } }\n");
  EXPECT_EQ(said(request_of("coding", "x", "1")), "one");
  auto none = ask(request_of("coding", "x", "2"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(none.error().message, "no rule of the script answers: agent coding, task code, round 1, attempt 1, call 2");
}

TEST_F(Scripted, EachTryOfACallUsesARule) {
  use(R"(
- { reply: { error: { status: 429, retry_after_s: 1 } } }
- { match: { call: 2 }, reply: { error: { status: 503 } } }
- { match: { call: 3 }, reply: { text: third } }
)");
  EXPECT_EQ(said(request_of("coding", "x")), "third");
}

TEST_F(Scripted, GoesOnInItsScriptAfterACrash) {
  use("- { reply: { error: { status: 503 } } }\n- { reply: { text: one } }\n- { reply: { text: two } }\n- { reply: { text: three } }\n");
  EXPECT_EQ(said(request_of("coding", "x", "1")), "one");
  EXPECT_EQ(said(request_of("coding", "y", "2")), "two");
  crash();
  EXPECT_EQ(said(request_of("coding", "x", "1")), "one");  // from the record
  EXPECT_EQ(said(request_of("coding", "z", "3")), "three");
}

TEST_F(Scripted, AnUnknownTryUsesNoRule) {
  use("- { reply: { text: one }, delay_ms: 1000 }\n- { reply: { text: two } }\n");
  runtime::TaskScope scope(loop);
  auto provider = stack();
  auto ask_forever = [](BaseLLMProvider& p) -> task<void> { (void)co_await p.chat(request_of("coding", "x", "1")); };
  scope.spawn(ask_forever(*provider));
  loop.settle();  // sent, and the process dies before the answer
  {
    auto steps = runtime::run_to_end(loop, states->list_steps(WorkflowId("wf-1")));
    ASSERT_EQ(steps->size(), 1u);
    ASSERT_EQ((*steps)[0].status, StepStatus::sent);
    ScriptedLLM restarted(loop, script_of(text), *steps);
    LedgerProvider ledger(
        {.inner = restarted, .states = *states, .turns = *turns, .artifacts = artifacts, .clock = loop, .notes = &restarted},
        {.epoch = 1, .limits = {}, .agent = {}});
    auto answer = runtime::run_to_end(loop, ledger.chat(request_of("coding", "x", "1")));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->text, "one");
  }
  scope.cancel();
  runtime::run_to_end(loop, scope.join());
}

TEST_F(Scripted, ADivergedAttemptGetsItsRulesBack) {
  use("- { reply: { text: one } }\n- { reply: { text: two } }\n- { reply: { text: three } }\n");
  EXPECT_EQ(said(request_of("coding", "x", "1")), "one");
  EXPECT_EQ(said(request_of("coding", "y", "2")), "two");
  crash();
  EXPECT_EQ(said(request_of("coding", "another question", "1")), "one");
  EXPECT_EQ(said(request_of("coding", "y", "2")), "two");
  EXPECT_EQ(said(request_of("coding", "z", "3")), "three");
}

TEST_F(Scripted, CancelledInItsDelayItUsesNoRule) {
  use("- { reply: { text: slow }, delay_ms: 60000 }\n");
  runtime::TaskScope scope(loop);
  auto provider = stack();
  auto ask_once = [](BaseLLMProvider& p) -> task<void> { (void)co_await p.chat(request_of("coding", "x", "1")); };
  scope.spawn(ask_once(*provider));
  loop.settle();
  scope.cancel();
  runtime::run_to_end(loop, scope.join());
  EXPECT_EQ(said(request_of("coding", "x", "1")), "slow");
}

LLMRequest with_tools(LLMRequest request) {
  request.tools.push_back({.name = "write_file", .description = "writes", .parameters_schema = "{}"});
  return request;
}

TEST_F(Scripted, FilesBecomeOneTurnOfCallsAndTheNextTurnStopsWithoutARule) {
  use("- { reply: { files: { a.py: \"1\", b.py: \"2\" } } }\n- { reply: { text: next rule } }\n");
  auto request = with_tools(request_of("coding", "x", "1"));
  auto turn = ask(request);
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->finish, FinishReason::tool_calls);
  ASSERT_EQ(turn->tool_calls.size(), 2u);
  EXPECT_EQ(turn->tool_calls[0].name, "write_file");
  request.caller.ordinal = "2";
  request.messages.push_back({.role = Role::assistant, .text = {}, .tool_calls = turn->tool_calls, .tool_call_id = {}});
  for (const ToolCall& call : turn->tool_calls)
    request.messages.push_back({.role = Role::tool, .text = "written", .tool_calls = {}, .tool_call_id = call.id});
  auto done = ask(request);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->finish, FinishReason::stop);
  EXPECT_TRUE(done->tool_calls.empty());
  EXPECT_EQ(said(request_of("coding", "y", "3")), "next rule");
}

TEST_F(Scripted, ToolCallsToAnAgentWithoutToolsAreAnError) {
  use("- { reply: { tool_calls: [ { name: read_file, arguments: { path: a } } ] }, times: 2 }\n");
  auto answer = ask(request_of("coding", "x", "1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid_answer);
  auto offered = ask(with_tools(request_of("coding", "x", "2")));
  ASSERT_TRUE(offered);
  EXPECT_EQ(offered->tool_calls[0].name, "read_file");
}

TEST_F(Scripted, FailsAsTheScriptSays) {
  use(R"(
- { match: { prompt: p1 }, reply: { error: malformed }, times: any }
- { match: { prompt: p2 }, reply: { error: timeout }, times: any }
- { match: { prompt: p3 }, reply: { error: cut_stream }, times: any }
- { match: { prompt: p4 }, reply: { error: refusal }, times: any }
- { match: { prompt: p5 }, reply: { error: { status: 401 } }, times: any }
)");
  EXPECT_EQ(ask(request_of("coding", "p1", "1")).error().code, ErrorCode::invalid_answer);
  EXPECT_EQ(ask(request_of("coding", "p2", "2")).error().code, ErrorCode::timeout);
  EXPECT_EQ(ask(request_of("coding", "p3", "3")).error().code, ErrorCode::invalid_answer);
  EXPECT_EQ(ask(request_of("coding", "p5", "5")).error().code, ErrorCode::permission_denied);
  auto refused = ask(request_of("coding", "p4", "4"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->finish, FinishReason::refusal);
}

TEST_F(Scripted, ReportsPlausibleUsage) {
  use("- { reply: { text: abcdefgh } }\n");
  auto answer = ask(request_of("coding", std::string(400, 'p')));
  ASSERT_TRUE(answer);
  EXPECT_NEAR(static_cast<double>(answer->usage.input_tokens), 100, 2);
  EXPECT_EQ(answer->usage.output_tokens, 2);
  EXPECT_EQ(answer->usage.usd_micros, 0);
}

TEST(StockLLM, AnswersEveryAgentDeterministically) {
  runtime::SimLoop loop;
  StockLLM stock;
  for (const char* agent : {"coding", "test", "test_data"}) {
    auto one = runtime::run_to_end(loop, stock.chat(request_of(agent, "<requirement>\nA shop\n</requirement>")));
    auto two = runtime::run_to_end(loop, stock.chat(request_of(agent, "<requirement>\nA shop\n</requirement>")));
    ASSERT_TRUE(one && two);
    EXPECT_EQ(*one, *two);
    EXPECT_FALSE(one->files.empty()) << agent;
  }
  auto next_round = runtime::run_to_end(loop, stock.chat(request_of("coding", "x", "1", 2)));
  auto first_round = runtime::run_to_end(loop, stock.chat(request_of("coding", "x", "1", 1)));
  EXPECT_NE(next_round->files, first_round->files);
  auto review = runtime::run_to_end(loop, stock.chat(request_of("review", "x")));
  EXPECT_TRUE(json_of_answer(review->text));
}

}  // namespace
}  // namespace conductorai::integrations
