// What an agent is told about its attempt, and the budget its steps count against.

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

std::optional<std::int64_t> sum(const std::optional<std::int64_t>& limit, const std::optional<std::int64_t>& added) {
  if (!limit) return std::nullopt;
  return *limit + added.value_or(0);
}

}  // namespace

Result<AssignmentParts> assignment_parts(const WorkflowState& state, const TaskId& id, const std::map<std::string, std::string>& env) {
  auto it = state.tasks.find(id);
  if (it == state.tasks.end()) return fail(ErrorCode::not_found, "no such task", id.value);
  const TaskRecord& task = it->second;
  AssignmentParts parts{.task = *task.definition, .findings = findings_for(state, task), .upstream = {}};
  auto with = evaluate_templates(Value(task.definition->with), scope_of(state, task, env));
  if (!with) {
    Error error = with.error();
    error.message = "`with` of task " + id.value + ": " + error.message;
    return fail(std::move(error));
  }
  parts.task.with = *with->as_object();
  for (const TaskId& need : task.definition->needs)
    if (auto found = state.tasks.find(need); found != state.tasks.end()) parts.upstream[need] = found->second.outputs;
  return parts;
}

std::vector<BudgetScope> budget_scopes(const WorkflowState& state, const TaskId& task, const BudgetDefinition& per_day, Timestamp now) {
  const BudgetDefinition& limit = state.definition->budget;
  const BudgetDefinition& added = state.overrides.add_budget;
  const BudgetDefinition added_per_day = state.overrides.add_day_budget.value_or(BudgetDefinition{});
  std::vector<BudgetScope> scopes;
  scopes.reserve(4);
  scopes.push_back({.key = "workflow/" + state.id.value,
                    .usd_micros = sum(limit.usd_micros, added.usd_micros),
                    .tokens = sum(limit.tokens, added.tokens),
                    .calls = sum(limit.calls, added.calls),
                    .wall_ms = sum(limit.wall_ms, added.wall_ms)});
  scopes.push_back({.key = "task/" + state.id.value + "/" + task.value});
  if (auto it = state.tasks.find(task); it != state.tasks.end())
    scopes.push_back({.key = "agent/" + state.id.value + "/" + it->second.definition->agent.value});
  scopes.push_back({.key = "project/" + to_iso8601(now).substr(0, std::string_view("YYYY-MM-DD").size()),
                    .usd_micros = sum(per_day.usd_micros, added_per_day.usd_micros),
                    .tokens = sum(per_day.tokens, added_per_day.tokens),
                    .calls = sum(per_day.calls, added_per_day.calls),
                    .wall_ms = sum(per_day.wall_ms, added_per_day.wall_ms)});
  return scopes;
}

}  // namespace conductorai::core
