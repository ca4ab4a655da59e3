#include "core/cleanup.hpp"

#include "core/expression.hpp"
#include "core/scope.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

bool may_run(const TaskRecord& task) {
  if (task.parent || !task.runs_after_failure) return false;
  return std::holds_alternative<task_state::Waiting>(task.machine) || live_attempt(task) > 0;
}

bool wants_cleanup(const Decision& decision, const TaskRecord& task) {
  Scope scope = scope_of(decision.state(), task, decision.context().env);
  scope.needs = NeedsOutcome{.success = false, .failure = false, .cancelled = true};
  return evaluate_condition(task.definition->condition, scope).value_or(false);
}

void end(Decision& decision, const std::string& reason, bool deadline) {
  if (deadline)
    decision.emit(failed_by_deadline(reason));
  else
    decision.emit(WorkflowCancelled{reason});
}

}  // namespace

WorkflowFailed failed_by_deadline(const std::string& reason) {
  return {.reason = reason, .error = Error{.code = ErrorCode::timeout, .message = reason}};
}

std::vector<TaskId> cleanup_tasks(const Decision& decision) {
  std::vector<TaskId> tasks;
  if (!decision.state().parked.empty()) return tasks;
  for (const TaskId& id : decision.state().order) {
    const TaskRecord& task = decision.task(id);
    if (may_run(task) && task.phase <= decision.state().phase && wants_cleanup(decision, task)) tasks.push_back(id);
  }
  return tasks;
}

void after_stop(Decision& decision) {
  const auto stopping = std::get<workflow_state::Cancelling>(decision.state().machine);
  if (!stopping.cleaned) {
    if (std::vector<TaskId> tasks = cleanup_tasks(decision); !tasks.empty()) {
      decision.emit(
          WorkflowCleanupStarted{.tasks = std::move(tasks), .until = decision.context().now + decision.context().cleanup_timeout});
      return advance(decision);
    }
  }
  end(decision, stopping.reason, stopping.deadline);
}

bool end_cleanup(Decision& decision) {
  const WorkflowState& state = decision.state();
  if (!state.live.empty() || !state.expanded.empty()) return false;
  const auto cleaning = std::get<workflow_state::CleaningUp>(state.machine);
  end(decision, cleaning.reason, cleaning.deadline);
  return true;
}

}  // namespace conductorai::core
