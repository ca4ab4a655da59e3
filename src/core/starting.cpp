// Before a task is dispatched: its `if`, its approval, its foreach, in this order.

#include <algorithm>

#include "core/decision.hpp"
#include "core/expression.hpp"
#include "core/readiness.hpp"
#include "core/scope.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

void fail_start(Decision& decision, const TaskRecord& task, Error error) {
  decision.emit(TaskFailed{.id = decision.attempt_id(task), .error = std::move(error), .action = ErrorAction::escalate});
}

std::string skip_reason(const WorkflowState& state, const TaskRecord& task) {
  if (!task.runs_after_failure)
    for (const TaskId& need : task.definition->needs)
      if (need_outcome(task, state.tasks.at(need)) == NeedOutcome::skipped) return "task " + need.value + ", which it needs, was skipped";
  return "its condition is false: " + (task.definition->condition.empty() ? "success()" : task.definition->condition);
}

/// False: the task is skipped or failed over its condition.
bool meets_condition(Decision& decision, const TaskRecord& task) {
  Scope scope = scope_of(decision.state(), task, decision.context().env);
  scope.needs = needs_of(decision.state(), task);
  auto met = evaluate_condition(task.definition->condition, scope);
  if (!met) {
    Error error = met.error();
    error.message = "the condition of task " + task.definition->id.value + ": " + error.message;
    fail_start(decision, task, std::move(error));
    return false;
  }
  if (*met) return true;
  decision.emit(TaskSkipped{.task = task.definition->id, .round = task.round, .reason = skip_reason(decision.state(), task)});
  return false;
}

PolicyDecision ask_policies(const Decision& decision, const TaskRecord& task) {
  const WorkflowState& state = decision.state();
  if (!decision.context().check) return {};
  StartTask about{
      .workflow = state.id, .task = &*task.definition, .definition = state.definition.get(), .agents_of_type = 1, .agents_available = 1};
  return decision.context().check(about);
}

/// Why an approval is needed; empty: none is. Limits that would make it wait or refuse it are the coordinator's business.
std::string approval_reason(const Decision& decision, const TaskRecord& task) {
  const TaskDefinition& definition = *task.definition;
  if (definition.approval) return "task " + definition.id.value + " asks for approval before it starts";
  for (const std::string& name : decision.state().definition->policies.approvals)
    if (name == definition.id.value || name == definition.agent.value) return "the policy asks for approval of " + name;
  PolicyDecision answer = ask_policies(decision, task);
  if (answer.verdict != PolicyVerdict::needs_approval) return {};
  return answer.reasons.empty() ? "a policy asks for approval" : answer.reasons.front();
}

void expand(Decision& decision, const TaskRecord& task) {
  const TaskId id = task.definition->id;
  auto items = evaluate_templates(*task.definition->foreach, scope_of(decision.state(), task, decision.context().env));
  if (items && items->as_array() == nullptr) items = fail(ErrorCode::invalid_argument, "it yields no list");
  if (!items) {
    Error error = items.error();
    error.message = "foreach of task " + id.value + ": " + error.message;
    return fail_start(decision, task, std::move(error));
  }
  decision.emit(TaskExpanded{.task = id, .round = task.round, .items = *items->as_array()});
  if (decision.task(id).unsettled_children == 0) finish_parent(decision, id);
}

}  // namespace

void begin_task(Decision& decision, const TaskId& id) {
  const TaskRecord& task = decision.task(id);
  if (live_attempt(task) != 1 || task.parent) return;
  if (!task.approved) {
    if (!meets_condition(decision, task)) return;
    if (std::string reason = approval_reason(decision, task); !reason.empty()) {
      if (cleaning_up(decision.state()))
        return decision.emit(
            TaskSkipped{.task = id, .round = task.round, .reason = "nobody approves what cleans up after a cancel: " + reason});
      const Milliseconds timeout = decision.state().definition->policies.approval_timeout;
      ApprovalRequested request{
          .approval = task_approval_id(decision.state(), id), .task = id, .round = task.round, .reason = std::move(reason)};
      if (timeout > Milliseconds(0)) request.expires_at = decision.context().now + timeout;
      return decision.emit(std::move(request));
    }
  }
  if (task.definition->foreach) expand(decision, task);
}

}  // namespace conductorai::core
