#include "core/scope.hpp"

#include <set>
#include <vector>

#include "core/readiness.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

bool any_ancestor_failed(const WorkflowState& state, const TaskRecord& task) {
  std::set<TaskId> seen;
  std::vector<TaskId> work = task.definition->needs;
  while (!work.empty()) {
    const TaskId id = work.back();
    work.pop_back();
    const TaskRecord& need = state.tasks.at(id);
    if (need.phase < task.phase || !seen.insert(id).second) continue;
    if (need_outcome(task, need) == NeedOutcome::failed) return true;
    work.insert(work.end(), need.definition->needs.begin(), need.definition->needs.end());
  }
  return false;
}

}  // namespace

Scope scope_of(const WorkflowState& state, const TaskRecord& task, const std::map<std::string, std::string>& env) {
  return {.inputs = &state.definition->inputs,
          .env = &env,
          .outputs = [&state](const TaskId& id) -> const Object* {
            auto it = state.tasks.find(id);
            return it == state.tasks.end() ? nullptr : &*it->second.outputs;
          },
          .foreach_item = task.foreach_item ? &*task.foreach_item : nullptr,
          .needs = {}};
}

NeedsOutcome needs_of(const WorkflowState& state, const TaskRecord& task) {
  if (cleaning_up(state)) return {.success = false, .failure = false, .cancelled = true};
  // Looking back through a long chain for every task of it would be quadratic; few conditions ask.
  const bool asks = task.definition->condition.find("failure") != std::string::npos;
  return {
      .success = needs_outcome(state, task) == NeedOutcome::met, .failure = asks && any_ancestor_failed(state, task), .cancelled = false};
}

}  // namespace conductorai::core
