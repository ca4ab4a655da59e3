#include "core/budget.hpp"

#include <algorithm>
#include <cstdio>

#include "core/json.hpp"

namespace conductorai::core {

namespace {

enum class Unit { count, micros, minutes };

std::string shown(std::int64_t value, Unit unit) {
  if (unit == Unit::count) return std::to_string(value);
  const double scale = unit == Unit::micros ? 1e6 : 60'000.0;
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", unit == Unit::micros && value % 10'000 != 0 ? 6 : 2, static_cast<double>(value) / scale);
  return text;
}

}  // namespace

std::vector<BudgetScope> budget_scopes(const BudgetLimits& limits, const AttemptId& attempt, const AgentType& agent, Timestamp now) {
  const auto scope = [](std::string key, const BudgetDefinition& limit) {
    return BudgetScope{
        .key = std::move(key), .usd_micros = limit.usd_micros, .tokens = limit.tokens, .calls = limit.calls, .wall_ms = limit.wall_ms};
  };
  return {scope("workflow/" + attempt.workflow.value, limits.workflow),
          scope("task/" + attempt.workflow.value + "/" + attempt.task.value, limits.task ? *limits.task : BudgetDefinition{}),
          scope("agent/" + attempt.workflow.value + "/" + agent.value, limits.agent ? *limits.agent : BudgetDefinition{}),
          scope("project/" + to_iso8601(now).substr(0, std::string_view("YYYY-MM-DD").size()), limits.day)};
}

bool limits_money(const BudgetLimits& limits) {
  return limits.workflow.usd_micros || limits.day.usd_micros || (limits.task && limits.task->usd_micros) ||
         (limits.agent && limits.agent->usd_micros);
}

bool limits_money(const WorkflowDefinition& definition) {
  return definition.budget.usd_micros ||
         std::ranges::any_of(definition.agent_budgets, [](const auto& of_type) { return of_type.second.usd_micros.has_value(); }) ||
         std::ranges::any_of(definition.tasks, [](const TaskDefinition& task) { return task.budget && task.budget->usd_micros; });
}

Amounts plus(const Amounts& a, const Amounts& b) {
  return {a.usd_micros + b.usd_micros, a.tokens + b.tokens, a.calls + b.calls, a.wall_ms + b.wall_ms};
}

Amounts minus(const Amounts& a, const Amounts& b) {
  return {a.usd_micros - b.usd_micros, a.tokens - b.tokens, a.calls - b.calls, a.wall_ms - b.wall_ms};
}

std::optional<BudgetRefusal> budget_refusal(const BudgetScope& scope, const BudgetUse& use, const Amounts& asked) {
  std::optional<BudgetRefusal> refusal;
  const auto look = [&](const char* name, const std::optional<std::int64_t>& limit, std::int64_t Amounts::* amount, Unit unit) {
    const std::int64_t spent = use.spent.*amount, reserved = use.reserved.*amount, more = asked.*amount, has = spent + reserved;
    // Nothing more asked of an amount is never what overruns it.
    if (!limit || more == 0 || (has <= *limit && more <= *limit - has)) return;
    const bool held = spent < *limit && (unit == Unit::minutes || more <= *limit - spent);
    if (refusal && (held || !refusal->held)) return;
    const std::string in_flight = reserved > 0 ? shown(reserved, unit) + " held for calls under way, " : "";
    refusal = {scope.key + ": " + name + ": " + shown(spent, unit) + " of " + shown(*limit, unit) + " used, " + in_flight +
                   shown(more, unit) + " more asked",
               held};
  };
  look("calls", scope.calls, &Amounts::calls, Unit::count);
  look("tokens", scope.tokens, &Amounts::tokens, Unit::count);
  look("usd", scope.usd_micros, &Amounts::usd_micros, Unit::micros);
  look("wall-minutes", scope.wall_ms, &Amounts::wall_ms, Unit::minutes);
  return refusal;
}

}  // namespace conductorai::core
