#pragma once
// What a workflow may cost and what the policies say of it: the ledger's estimate, the price table, the rules and the budgets' arithmetic
// that a run meets, asked ahead of it. Nothing is called and nothing is written.

#include "conductorai/forecast.hpp"
#include "conductorai/task.hpp"
#include "definition/plan.hpp"
#include "facade/house.hpp"

namespace conductorai::facade {

/// A model of the chain with what its calls are charged.
struct PricedModel {
  LlmTarget target;
  std::optional<integrations::Price> price;
  bool frames = false;  // it counts tokens of its own around messages and tools
};
/// As Models opens them. Errors: those of reading the user's prices.
Result<std::vector<PricedModel>> priced_chain(const LlmServices& services, const LlmDefinition& llm);

/// What a planned workflow is judged by.
struct ForecastOf {
  const definition::Plan& plan;
  const WorkflowDefinition& definition;
  const std::vector<AgentDescription>& agents;
};

/// Fills in `tasks`, `models` and `cost`.
void add_costs(Forecast& forecast, const ForecastOf& of, const std::vector<PricedModel>& chain);
/// Each rule's answer to every start of a task, every act that stands in the file, and every gate.
std::vector<PolicyForecast> ask_rules(const House& house, const ForecastOf& of);

/// Errors: those of the user's prices and of StateManager.
task<Result<Forecast>> make_forecast(House& house, WorkflowDefinition definition, Timestamp now);

}  // namespace conductorai::facade
