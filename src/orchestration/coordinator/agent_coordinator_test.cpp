// Choice, capacity, priorities, waiting, policies, limits, batches.

#include "tests/support/coordinator_world.hpp"

namespace conductorai::orchestration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Names = std::vector<std::string>;

TEST(AgentCoordinator, HandsOverAndBringsTheResultBack) {
  World w;
  auto& a = w.agent("coding-01");
  w.dispatch("code");
  ASSERT_EQ(a.taken, Names{"code"});
  EXPECT_EQ(w.state("coding-01").status, AgentStatus::busy);
  EXPECT_THAT(w.state("coding-01").current_tasks, ElementsAre("wf/code"));
  EXPECT_EQ(w.reason("code"), "");
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(w.results["code"].status, ResultStatus::completed);
  EXPECT_EQ(w.results["code"].agent, AgentId("coding-01"));
  EXPECT_EQ(w.state("coding-01").status, AgentStatus::idle);
  EXPECT_EQ(w.state("coding-01").succeeded, 1);
}

TEST(AgentCoordinator, ChoosesTheLeastLoadedByItsCapacity) {
  World w;
  auto& small = w.agent("small", "coding", 1);
  auto& big = w.agent("big", "coding", 4);
  for (const char* name : {"1", "2", "3", "4", "5"}) w.dispatch(name);
  EXPECT_EQ(small.taken, Names{"1"});
  EXPECT_EQ(big.taken, (Names{"2", "3", "4", "5"}));
}

TEST(AgentCoordinator, ChoosesTheBetterSuccessRateAmongEquallyLoaded) {
  World w;
  auto& bad = w.agent("bad");
  w.dispatch("first");
  bad.fail_with(bad.running[0], ErrorCode::invalid_answer);
  w.loop.settle();
  auto& good = w.agent("good");
  w.dispatch("second");
  EXPECT_EQ(good.taken, Names{"second"});
}

TEST(AgentCoordinator, ChoosesTheLongestIdleAmongEquallyGood) {
  World w;
  auto& a = w.agent("a");
  auto& b = w.agent("b");
  auto complete = [](FakeAgent& agent, const AttemptId& id) { agent.complete(id); };
  a.on_task = b.on_task = complete;
  for (const char* name : {"1", "2", "3", "4"}) w.dispatch(name);
  EXPECT_EQ(a.taken, (Names{"1", "3"}));
  EXPECT_EQ(b.taken, (Names{"2", "4"}));
}

TEST(AgentCoordinator, NeverGivesAnAgentMoreThanItsCapacity) {
  World w;
  auto& a = w.agent("a", "coding", 2);
  for (const char* name : {"1", "2", "3"}) w.dispatch(name);
  EXPECT_EQ(a.taken, (Names{"1", "2"}));
  EXPECT_THAT(w.reason("3"), HasSubstr("none of the 1 agents of type 'coding' is free"));
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(a.taken, (Names{"1", "2", "3"}));
}

TEST(AgentCoordinator, TakesTheMoreUrgentFirstAndEqualOnesInOrder) {
  World w;
  auto& a = w.agent("a");
  a.on_task = [](FakeAgent& agent, const AttemptId& id) {
    if (id.task.value != "running") agent.complete(id);
  };
  w.dispatch("running");
  w.dispatch("low", "coding", -1);
  w.dispatch("n1");
  w.dispatch("other/high1", "coding", 5);
  w.dispatch("n2");
  w.dispatch("high2", "coding", 5);
  w.dispatch("other/n3");
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(a.taken, (Names{"running", "high1", "high2", "n1", "n2", "n3", "low"}));
}

TEST(AgentCoordinator, KeepsTypesApart) {
  World w;
  auto& coder = w.agent("coder", "coding");
  auto& tester = w.agent("tester", "test");
  w.dispatch("c1", "coding");
  w.dispatch("c2", "coding");
  w.dispatch("t1", "test");
  EXPECT_EQ(coder.taken, Names{"c1"});
  EXPECT_EQ(tester.taken, Names{"t1"});
}

TEST(AgentCoordinator, FailsATaskOfATypeNobodyServes) {
  World w;
  w.dispatch("code");
  EXPECT_EQ(w.error_of("code"), ErrorCode::unavailable);
  EXPECT_EQ(w.results["code"].error->message, "no agent of type 'coding' is registered");
  EXPECT_FALSE(w.coordinator.knows_type(AgentType("coding")));
}

TEST(AgentCoordinator, RefusesTheSameAttemptTwice) {
  World w;
  auto& a = w.agent("a", "coding", 2);
  w.dispatch("code");
  w.scope.spawn(keep(w.coordinator.dispatch_task(w.assignment("code")), w.results, w.order, "again"));
  w.loop.settle();
  EXPECT_EQ(w.error_of("again"), ErrorCode::conflict);
  EXPECT_EQ(a.taken, Names{"code"});
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(w.results["code"].status, ResultStatus::completed);
}

TEST(AgentCoordinator, RefusesASecondAgentOfTheSameIdAndNonsense) {
  World w;
  w.agent("a");
  EXPECT_EQ(w.coordinator.register_agent({AgentId("a"), AgentType("test"), 1}).error().code, ErrorCode::already_exists);
  EXPECT_EQ(w.coordinator.register_agent({AgentId("b"), AgentType("test"), 0}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(w.coordinator.unregister_agent(AgentId("c")).error().code, ErrorCode::not_found);
}

TEST(AgentCoordinator, RefusesWhatNeedsAnApprovalItHasNot) {
  World w;
  auto& a = w.agent("a");
  w.definition->policies.approvals = {"deploy"};
  w.dispatch("deploy");
  EXPECT_EQ(w.error_of("deploy"), ErrorCode::permission_denied);
  EXPECT_THAT(w.results["deploy"].error->message, HasSubstr("policies.approvals"));
  w.scope.spawn(keep(w.coordinator.dispatch_task(w.assignment("deploy"), true), w.results, w.order, "approved"));
  w.loop.settle();
  EXPECT_EQ(a.taken, Names{"deploy"});
}

class Moody final : public Policy {
 public:
  explicit Moody(const PolicyDecision& mood) : mood_(mood) {}
  [[nodiscard]] std::string_view name() const override { return "moody"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext&) const override { return mood_; }

 private:
  const PolicyDecision& mood_;
};

TEST(AgentCoordinator, AsksAPolicyAgainThatSaidWaitForItsOwnReasons) {
  PolicyDecision mood{PolicyVerdict::wait, {"moody: not before tea"}};
  std::vector<std::unique_ptr<Policy>> rules;
  rules.push_back(std::make_unique<Moody>(mood));
  World w({.heartbeat_timeout = 24h}, {}, std::move(rules));
  auto& a = w.agent("a", "coding", 2);
  w.dispatch("code");
  w.dispatch("denied");
  EXPECT_EQ(w.reason("code"), "moody: not before tea");
  w.loop.advance(1min);
  EXPECT_TRUE(a.taken.empty());
  mood = {};
  w.loop.advance(2s);
  EXPECT_EQ(a.taken, (Names{"code", "denied"}));
}

TEST(AgentCoordinator, DeniesAWaitingTaskThatIsDeniedByNow) {
  PolicyDecision mood{PolicyVerdict::wait, {"later"}};
  std::vector<std::unique_ptr<Policy>> rules;
  rules.push_back(std::make_unique<Moody>(mood));
  World w({.heartbeat_timeout = 24h}, {}, std::move(rules));
  w.agent("a");
  w.dispatch("code");
  mood = {PolicyVerdict::deny, {"moody: never"}};
  w.loop.advance(2s);
  EXPECT_EQ(w.error_of("code"), ErrorCode::permission_denied);
  EXPECT_EQ(w.results["code"].error->message, "moody: never");
}

TEST(AgentCoordinator, HoldsAWorkflowAtItsLimitAndLetsOthersPass) {
  World w;
  w.definition->policies.max_concurrent_tasks = 2;
  auto& a = w.agent("a", "coding", 10);
  for (const char* name : {"one/1", "one/2", "one/3", "one/4", "two/5"}) w.dispatch(name);
  EXPECT_EQ(a.taken, (Names{"1", "2", "5"}));
  EXPECT_THAT(w.reason("one/3"), HasSubstr("2 of 2 attempts are running in this workflow"));
  a.complete(w.assignment("one/2").id);
  w.loop.settle();
  EXPECT_EQ(a.taken, (Names{"1", "2", "5", "3"}));
}

TEST(AgentCoordinator, CountsAllAttemptsOfAnAgentAndNamesTheFirstHundred) {
  World w;
  w.definition->policies.max_concurrent_tasks = w.definition->policies.max_concurrent_per_agent = 120;
  w.agent("a", "coding", 120);
  for (int i = 0; i < 120; ++i) w.dispatch("wf/t" + std::to_string(i));
  const AgentState state = w.state("a");
  EXPECT_EQ(state.running, 120);
  ASSERT_EQ(state.current_tasks.size(), 100U);
  EXPECT_EQ(state.current_tasks.back(), "wf/t99");
}

TEST(AgentCoordinator, HoldsATypeAtItsLimitInTheWorkflow) {
  World w;
  w.definition->policies.max_concurrent_per_agent = 1;
  auto& a = w.agent("a", "coding", 10);
  auto& t = w.agent("t", "test", 10);
  w.dispatch("c1", "coding");
  w.dispatch("c2", "coding");
  w.dispatch("t1", "test");
  EXPECT_EQ(a.taken, Names{"c1"});
  EXPECT_EQ(t.taken, Names{"t1"});
  EXPECT_THAT(w.reason("c2"), HasSubstr("max-concurrent-per-agent: 1 of 1 'coding'"));
}

TEST(AgentCoordinator, HoldsTheProcessAtItsLimitAndGoesOnByPriorityAcrossTypes) {
  World w({.max_concurrent_tasks = 1, .heartbeat_timeout = 24h});
  auto& a = w.agent("a", "coding", 10);
  auto& t = w.agent("t", "test", 10);
  w.dispatch("one/c1", "coding");
  w.dispatch("one/c2", "coding");
  w.dispatch("two/t1", "test", 3);
  EXPECT_THAT(w.reason("one/c2"), HasSubstr("1 of 1 attempts are running in this process"));
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(t.taken, Names{"t1"});
  EXPECT_EQ(a.taken, Names{"c1"});
}

TEST(AgentCoordinator, GivesABatchesResultsInTheOrderGiven) {
  World w;
  auto& a = w.agent("a", "coding", 2);
  std::vector<Shared<TaskAssignment>> work{w.assignment("1"), w.assignment("2"), w.assignment("3", "unknown"), w.assignment("4")};
  std::optional<std::vector<Shared<TaskResult>>> out;
  w.scope.spawn(runtime::detail::store(w.coordinator.dispatch_batch(std::move(work)), out));
  w.loop.settle();
  EXPECT_EQ(a.taken, (Names{"1", "2"}));
  a.complete(a.running[1]);
  w.loop.settle();
  while (!a.running.empty()) {
    a.complete(a.running.back());
    w.loop.settle();
  }
  ASSERT_TRUE(out);
  Names names;
  for (const auto& result : *out) names.push_back(result->id.task.value + " " + (result->error ? "failed" : "done"));
  EXPECT_EQ(names, (Names{"1 done", "2 done", "3 failed", "4 done"}));
}

TEST(AgentCoordinator, DrainsAnAgentBeforeItGoes) {
  World w;
  auto& a = w.agent("a", "coding", 2);
  w.dispatch("1");
  EXPECT_TRUE(w.coordinator.unregister_agent(AgentId("a")));
  EXPECT_EQ(w.state("a").status, AgentStatus::draining);
  auto& b = w.agent("b");
  w.dispatch("2");
  w.dispatch("3");
  EXPECT_EQ(a.taken, Names{"1"});
  EXPECT_EQ(b.taken, Names{"2"});
  EXPECT_THAT(w.reason("3"), HasSubstr("1 draining"));
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(w.results["1"].status, ResultStatus::completed);
  ASSERT_EQ(w.coordinator.agent_states().size(), 1U);
  EXPECT_EQ(w.coordinator.agent_states()[0].id, AgentId("b"));
}

TEST(AgentCoordinator, FailsWhatWaitsWhenTheLastAgentOfItsTypeGoes) {
  World w;
  auto& a = w.agent("a");
  for (const char* name : {"1", "2", "other/3"}) w.dispatch(name);
  EXPECT_TRUE(w.coordinator.unregister_agent(AgentId("a")));
  w.loop.settle();
  EXPECT_TRUE(w.results.empty());
  a.complete(a.running[0]);
  w.loop.settle();
  EXPECT_EQ(w.results["1"].status, ResultStatus::completed);
  EXPECT_EQ(w.error_of("2"), ErrorCode::unavailable);
  EXPECT_EQ(w.error_of("3"), ErrorCode::unavailable);
  EXPECT_TRUE(w.coordinator.agent_states().empty());
}

TEST(AgentCoordinator, StartsWhatWaitsWhenAnAgentIsRegistered) {
  World w;
  w.agent("a");
  w.dispatch("1");
  w.dispatch("2");
  auto& b = w.agent("b");
  w.loop.settle();
  EXPECT_EQ(b.taken, Names{"2"});
}

TEST(AgentCoordinator, FailsAnAttemptWhoseAgentDoesNotListen) {
  World w;
  EXPECT_TRUE(w.coordinator.register_agent({AgentId("ghost"), AgentType("coding"), 1}));
  w.dispatch("code");
  EXPECT_EQ(w.error_of("code"), ErrorCode::unavailable);
  EXPECT_EQ(w.results["code"].agent, AgentId("ghost"));
}

TEST(AgentCoordinator, WritesAgentStatesAtMostOncePerInterval) {
  World w({.heartbeat_timeout = 24h, .sync_interval = 500ms});
  auto& a = w.agent("a");
  a.on_task = [](FakeAgent& agent, const AttemptId& id) { agent.complete(id); };
  auto stored = [&w] { return run_to_end(w.loop, w.states.agent_states()).value(); };
  w.dispatch("1");
  EXPECT_TRUE(stored().empty());
  w.loop.advance(500ms);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_EQ(stored()[0].succeeded, 1);
  w.dispatch("2");
  w.loop.advance(499ms);
  EXPECT_EQ(stored()[0].succeeded, 1);
  EXPECT_TRUE(run_to_end(w.loop, w.coordinator.sync()));
  EXPECT_EQ(stored(), w.coordinator.agent_states());
  EXPECT_TRUE(w.coordinator.unregister_agent(AgentId("a")));
  w.loop.advance(500ms);
  EXPECT_TRUE(stored().empty());
}

TEST(AgentCoordinator, WritesTheLastStatesWhenItCloses) {
  runtime::SimLoop loop;
  infrastructure::MemoryStateManager states;
  infrastructure::MemoryMessageBus bus(loop, loop, &states);
  PolicyEngine policies({});
  TestEntropy entropy;
  ErrorHandler errors(loop, entropy);
  AgentCoordinator coordinator(loop, loop, bus, states, policies, errors, {});
  EXPECT_TRUE(coordinator.register_agent({AgentId("a"), AgentType("coding"), 1}));
  run_to_end(loop, coordinator.close());
  EXPECT_EQ(run_to_end(loop, states.agent_states()).value().size(), 1U);
}

TEST(AgentCoordinator, NeverPassesALimitAndLosesNoTaskUnderRandomLoad) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    World w({.max_concurrent_tasks = 7, .heartbeat_timeout = 1'000h, .cancel_grace = 5s}, {.failures_to_open = 2, .open_for = 3s});
    w.definition->policies.max_concurrent_tasks = 4;
    w.definition->policies.max_concurrent_per_agent = 2;
    std::mt19937 random(seed);
    auto pick = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    for (int n = 0; n < 6; ++n) w.agent("agent-" + std::to_string(n), n % 2 == 0 ? "coding" : "test", 1 + n % 3);
    int made = 0;
    auto check = [&] {
      int all = 0;
      std::map<std::string, int> by_workflow, by_type;
      for (const auto& agent : w.agents) {
        const auto state = w.state(agent->id().value);
        EXPECT_LE(state.running, state.capacity);
        EXPECT_EQ(static_cast<std::size_t>(state.running), agent->running.size());
        for (const auto& id : agent->running) {
          ++all;
          EXPECT_LE(++by_workflow[id.workflow.value], 4);
          EXPECT_LE(++by_type[id.workflow.value + state.type.value], 2);
        }
      }
      EXPECT_LE(all, 7);
    };
    for (int step = 0; step < 300; ++step) {
      switch (pick(5)) {
        case 0:
        case 1: {
          const auto n = std::to_string(++made);
          w.dispatch("wf-" + std::to_string(pick(4)) + "/t" + n, pick(2) == 0 ? "coding" : "test", pick(3));
          break;
        }
        case 2:
          if (made > 0) w.cancel("t" + std::to_string(1 + pick(made)));
          break;
        case 3: w.loop.advance(Milliseconds(pick(1000))); break;
        default: {
          auto& agent = *w.agents[static_cast<std::size_t>(pick(6))];
          if (agent.running.empty()) break;
          const AttemptId id = agent.running[static_cast<std::size_t>(pick(static_cast<int>(agent.running.size())))];
          if (pick(4) == 0)
            agent.fail_with(id, pick(2) == 0 ? ErrorCode::unavailable : ErrorCode::invalid_argument);
          else
            agent.complete(id);
          w.loop.settle();
        }
      }
      check();
    }
    for (int round = 0; round < 400 && w.scope.running() > 0; ++round) {
      for (auto& agent : w.agents)
        while (!agent->running.empty()) agent->complete(AttemptId(agent->running.front()));
      w.loop.advance(1s);
      check();
    }
    EXPECT_EQ(w.results.size(), static_cast<std::size_t>(made)) << "seed " << seed;
    for (const auto& state : w.coordinator.agent_states()) EXPECT_EQ(state.running, 0);
  }
}

}  // namespace
}  // namespace conductorai::orchestration
