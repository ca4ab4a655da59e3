#pragma once
// Agents that do nothing, and workflows of them: what is left is what the engine costs.

#include <memory>

#include "bench/measurement.hpp"
#include "conductorai/base_agent.hpp"
#include "facade/house.hpp"
#include "runtime/loop.hpp"

namespace conductorai::bench {

constexpr int kChainTasks = 7;  // code, review, test data, test, package, deploy, monitor

/// Answers at once, or after `delay`, with a result of 1 KB.
std::unique_ptr<BaseAgent> make_noop_agent(AgentId id, int capacity, Milliseconds delay = Milliseconds(0));

/// Seven tasks in a row over the three phases.
WorkflowDefinition chain_of_seven();
/// `width` tasks without needs between a first and a last one.
WorkflowDefinition fan_of(int width);
/// `tasks` without needs.
WorkflowDefinition side_by_side(int tasks);
/// `tasks` in a row.
WorkflowDefinition long_chain(int tasks);

/// A house as the command line has it, with one more agent. Ends the process with a message when it cannot be had.
class BenchHouse {
 public:
  /// `state`: "sqlite" or "memory".
  BenchHouse(const std::filesystem::path& folder, const std::string& state, std::unique_ptr<BaseAgent> agent, LlmOptions llm = {});
  BenchHouse(const std::filesystem::path& folder, const std::string& state, int capacity, Milliseconds delay = Milliseconds(0));
  ~BenchHouse();
  [[nodiscard]] runtime::Loop& loop() { return loop_; }
  [[nodiscard]] facade::House& house() { return *house_; }

 private:
  runtime::Loop loop_;
  std::unique_ptr<facade::House> house_;
};

/// Runs `workflows` of `definition`, `in_flight` at once; adds latencies in ms. Answers with how many did not complete.
std::int64_t run_all(BenchHouse& bench, const WorkflowDefinition& definition, int workflows, int in_flight, std::vector<double>& latencies);

}  // namespace conductorai::bench
