// What an agent is told about its attempt, and the limits its steps count against.

#include <algorithm>

#include "core/decide.hpp"
#include "core/json.hpp"
#include "core/scope.hpp"

namespace conductorai::core {
namespace {

/// A child of a foreach is meant where its parent is.
bool names(const TaskRecord& task, const TaskId& id) {
  return id == task.definition->id || id == task.parent;
}

bool concerns(const TaskRecord& task, const RoundRecord& round) {
  // A retry by hand that carries nothing but its own announcement tells an agent nothing.
  if (round.kind == RoundKind::retry && round.feedback.from.empty()) return false;
  if (names(task, round.target)) return true;
  return std::ranges::any_of(round.feedback.affected_tasks, [&](const TaskId& id) { return names(task, id); });
}

/// Given only where the round that runs the task again concerns it; what an earlier round asked for has been dealt with otherwise.
bool asked_again(const WorkflowState& state, const TaskRecord& task) {
  return std::ranges::any_of(state.rounds, [&](const RoundRecord& round) { return round.round == task.round && concerns(task, round); });
}

std::vector<FeedbackPayload> findings_for(const WorkflowState& state, const TaskRecord& task) {
  std::vector<FeedbackPayload> out;
  if (asked_again(state, task))
    for (const RoundRecord& round : state.rounds)
      if (concerns(task, round)) out.push_back(round.feedback);
  if (!task.findings.empty())
    out.push_back({.from = task.definition->id,
                   .target = task.definition->id,
                   .severity = Severity::error,
                   .summary = task.summary,
                   .findings = task.findings});
  return out;
}

/// Nothing is added to no limit.
BudgetDefinition raised(BudgetDefinition limits, const BudgetDefinition& added) {
  for (auto amount : {&BudgetDefinition::usd_micros, &BudgetDefinition::tokens, &BudgetDefinition::calls, &BudgetDefinition::wall_ms})
    if (limits.*amount) *(limits.*amount) += (added.*amount).value_or(0);
  return limits;
}

/// What needs no evaluation is the definition's own.
Result<Shared<TaskDefinition>> evaluated(const TaskRecord& task, const Scope& scope) {
  if (!holds_template(task.definition->with)) return task.definition;
  auto with = evaluate_templates(Value(task.definition->with), scope);
  if (!with) return fail(with.error());
  TaskDefinition definition = *task.definition;
  definition.with = std::move(*with->as_object());
  return Shared(std::move(definition));
}

}  // namespace

Result<AssignmentParts> assignment_parts(const WorkflowState& state, const TaskId& id, const std::map<std::string, std::string>& env) {
  auto it = state.tasks.find(id);
  if (it == state.tasks.end()) return fail(ErrorCode::not_found, "no such task", id.value);
  const TaskRecord& task = it->second;
  auto evaluated_task = evaluated(task, scope_of(state, task, env));
  if (!evaluated_task) {
    Error error = evaluated_task.error();
    error.message = "`with` of task " + id.value + ": " + error.message;
    return fail(std::move(error));
  }
  AssignmentParts parts{.task = std::move(*evaluated_task), .findings = findings_for(state, task), .upstream = {}};
  for (const TaskId& need : task.definition->needs)
    if (auto found = state.tasks.find(need); found != state.tasks.end()) parts.upstream.emplace(need, found->second.outputs);
  return parts;
}

BudgetLimits budget_limits(const WorkflowState& state, const TaskDefinition& task, const BudgetDefinition& per_day) {
  const BudgetDefinition& added = state.overrides.add_budget;  // to each of them, or what paused over its task's could never go on
  BudgetLimits limits{.workflow = raised(state.definition->budget, added),
                      .day = raised(per_day, state.overrides.add_day_budget.value_or(BudgetDefinition{}))};
  if (task.budget) limits.task = std::optional(raised(*task.budget, added));
  const auto& of_agents = state.definition->agent_budgets;
  if (const auto found = of_agents.find(task.agent); found != of_agents.end()) limits.agent = std::optional(raised(found->second, added));
  return limits;
}

}  // namespace conductorai::core
