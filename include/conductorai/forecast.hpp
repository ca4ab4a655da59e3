#pragma once
// What a workflow may cost and what the policies say of it, before anything is called.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/policy.hpp"
#include "conductorai/result.hpp"

namespace conductorai {

/// Figures stop at the largest number there is.
struct ForecastCost {
  std::int64_t calls = 0;
  std::int64_t tokens = 0;
  std::optional<std::int64_t> usd_micros = 0;  // absent: of calls whose price is not known
  friend bool operator==(const ForecastCost&, const ForecastCost&) = default;
};

/// `normal`: one round, one attempt of each task, its first question alone, of the first model. `worst`: every round, attempt, item, turn
/// of tools, follow-up, retry and model of the chain. Each call counts as what it reserves: the smallest request there can be, the largest.
struct CostRange {
  ForecastCost normal, worst;
  friend bool operator==(const CostRange&, const CostRange&) = default;
};

struct ModelForecast {
  std::string provider, model;  // empty: nobody says
  CostRange cost;
};
struct TaskForecast {
  TaskId id;
  CostRange cost;
  std::vector<ModelForecast> models;
};

/// What one rule says of all that the workflow is known to do. Reasons are those of answers other than allow.
struct PolicyForecast {
  std::string policy;
  PolicyVerdict verdict = PolicyVerdict::allow;
  std::vector<std::string> reasons;
};

struct Forecast {
  std::vector<TaskForecast> tasks;    // those that may ask a model, in the order of the definition
  std::vector<ModelForecast> models;  // in the order they are asked
  CostRange cost;
  std::vector<PolicyForecast> policies;  // the rules, then "prices" and "budget"
  std::vector<std::string> warnings;     // what may pause it, and what is only known when it runs
  /// Why it is over its limit: invalid_argument (a model or its price is not known), permission_denied (a rule refuses something),
  /// budget_exhausted (a budget is smaller than the normal path).
  std::optional<Error> over;
};

}  // namespace conductorai
