#include "core/readiness.hpp"

#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

/// Tasks to look at, in the order they became possible. A list, not recursion: a blocked chain may be 10,000 long.
using Worklist = std::vector<TaskRecord*>;  // in the order of arrival

bool is_live(const TaskMachine& machine) {
  return std::holds_alternative<task_state::Live>(machine) || std::holds_alternative<task_state::AwaitingApproval>(machine);
}

/// Its dependents have one need less to wait for.
void count_settled(WorkflowState& state, const TaskRecord& task, Worklist& work) {
  if (task.parent) return;
  --state.unsettled[task.phase];
  for (const TaskId& id : task.dependents)
    if (TaskRecord& dependent = state.tasks.at(id); --dependent.unmet_needs == 0) work.push_back(&dependent);
}

void leave_live(WorkflowState& state, const TaskRecord& task) {
  state.live.erase(task.definition->id);
  state.live_since.erase({task.since, task.definition->id});
}

void enter_live(WorkflowState& state, TaskRecord& task) {
  task.since = state.last_seq;
  state.live.insert(task.definition->id);
  state.live_since.insert({task.since, task.definition->id});
}

/// The set bookkeeping of a transition; no start follows from here.
void assign(WorkflowState& state, TaskRecord& task, TaskMachine next) {
  const TaskId& id = task.definition->id;
  if (is_live(task.machine)) leave_live(state, task);
  if (std::holds_alternative<task_state::Expanded>(task.machine)) state.expanded.erase(id);
  if (std::holds_alternative<task_state::Waiting>(task.machine)) state.ready.erase(id);
  task.machine = std::move(next);
  if (is_live(task.machine)) enter_live(state, task);
  if (std::holds_alternative<task_state::Expanded>(task.machine)) state.expanded.insert(id);
}

void start(WorkflowState& state, TaskRecord& task) {
  task.round = state.round;
  task.attempts = 1;
  assign(state, task, task_state::Live{.attempt = 1, .base = state.head, .not_before = {}});
}

bool has_slot(const TaskRecord& parent) {
  return parent.definition->max_parallel <= 0 || parent.running_children < parent.definition->max_parallel;
}

/// Children start in order; those before next_child have all been started in this run of the parent.
void fill_slots(WorkflowState& state, TaskRecord& parent) {
  if (!in_progress(state) && !cleaning_up(state)) return;
  for (; parent.next_child < parent.children.size() && has_slot(parent); ++parent.next_child) {
    TaskRecord& child = state.tasks.at(parent.children[parent.next_child]);
    if (!std::holds_alternative<task_state::Waiting>(child.machine)) continue;
    start(state, child);
    ++parent.running_children;
  }
}

void leave_slot(WorkflowState& state, const TaskRecord& child, bool was_live, bool now_settled) {
  TaskRecord& parent = state.tasks.at(*child.parent);
  if (was_live) --parent.running_children;
  if (now_settled) --parent.unsettled_children;
  if (std::holds_alternative<task_state::Expanded>(parent.machine)) fill_slots(state, parent);
}

void consider(WorkflowState& state, TaskRecord& task, Worklist& work) {
  if (!std::holds_alternative<task_state::Waiting>(task.machine) || task.blocked) return;
  if (task.unmet_needs > 0 || task.phase > state.phase) return;
  if (!task.runs_after_failure && needs_outcome(state, task) == NeedOutcome::failed) {
    task.blocked = true;
    count_settled(state, task, work);
    return;
  }
  // One whose need was skipped starts too: the decision that looks at its condition skips it in the same row.
  if (in_progress(state))
    start(state, task);
  else
    state.ready.insert(task.definition->id);
}

void run(WorkflowState& state, Worklist work) {
  for (std::size_t next = 0; next < work.size(); ++next) consider(state, *work[next], work);
}

template <class Ids>
Worklist records_of(WorkflowState& state, const Ids& ids) {
  Worklist work;
  work.reserve(ids.size());
  for (const TaskId& id : ids) work.push_back(&state.tasks.at(id));
  return work;
}

}  // namespace

NeedOutcome need_outcome(const TaskRecord& task, const TaskRecord& need) {
  if (std::holds_alternative<task_state::Skipped>(need.machine)) return NeedOutcome::skipped;
  if (need.phase < task.phase) return NeedOutcome::met;
  const bool completed = std::holds_alternative<task_state::Completed>(need.machine);
  const bool failed = std::holds_alternative<task_state::Failed>(need.machine);
  if (completed && !has_failed_verdict(need)) return NeedOutcome::met;
  if (failed && !has_failed(need)) return NeedOutcome::met;
  return NeedOutcome::failed;
}

NeedOutcome needs_outcome(const WorkflowState& state, const TaskRecord& task) {
  NeedOutcome worst = NeedOutcome::met;
  for (const TaskId& need : task.definition->needs)
    if (auto it = state.tasks.find(need); it != state.tasks.end()) worst = std::max(worst, need_outcome(task, it->second));
  return worst;
}

void change(WorkflowState& state, TaskRecord& task, TaskMachine next) {
  const bool was_settled = settled(task);
  const bool was_live = std::holds_alternative<task_state::Live>(task.machine);
  assign(state, task, std::move(next));
  const bool now_settled = settled(task) && !was_settled;
  if (task.parent) {
    const bool left = was_live && !std::holds_alternative<task_state::Live>(task.machine);
    if (left || now_settled) leave_slot(state, task, left, now_settled);
    return;
  }
  Worklist work;
  if (now_settled) count_settled(state, task, work);
  if (std::holds_alternative<task_state::Waiting>(task.machine)) work.push_back(&task);
  run(state, std::move(work));
}

void start_ready(WorkflowState& state) {
  const std::set<TaskId> held = std::exchange(state.ready, {});
  run(state, records_of(state, held));
  for (const TaskId& id : state.expanded) fill_slots(state, state.tasks.at(id));
}

void start_next_cleanup(WorkflowState& state) {
  auto* cleaning = std::get_if<workflow_state::CleaningUp>(&state.machine);
  if (cleaning == nullptr || !state.live.empty() || !state.expanded.empty() || cleaning->left.empty()) return;
  std::vector<TaskId>& left = cleaning->left;
  const auto comes_first = [&](const TaskId& id) {
    return std::ranges::none_of(state.tasks.at(id).definition->needs,
                                [&](const TaskId& need) { return std::ranges::find(left, need) != left.end(); });
  };
  const auto next = std::ranges::find_if(left, comes_first);
  CONDUCTORAI_ASSERT(next != left.end(), "needs form no cycle");
  TaskRecord& task = state.tasks.at(*next);
  left.erase(next);
  start(state, task);
}

void enter_phase(WorkflowState& state, Phase phase) {
  run(state, records_of(state, state.by_phase[phase]));
}

void add_children(WorkflowState& state, TaskRecord& parent, const std::vector<Value>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    TaskDefinition definition = *parent.definition;
    definition.id = TaskId(parent.definition->id.value + "[" + std::to_string(i) + "]");
    definition.condition.clear();
    definition.foreach.reset();
    TaskRecord child{.definition = std::move(definition), .phase = parent.phase, .round = parent.round};
    child.foreach_item = items[i];
    child.parent = parent.definition->id;
    parent.children.push_back(child.definition->id);
    state.tasks.insert_or_assign(child.definition->id, std::move(child));
  }
  auto at = std::ranges::find(state.order, parent.definition->id);
  CONDUCTORAI_ASSERT(at != state.order.end(), "every task stands in the order");
  state.order.insert(at + 1, parent.children.begin(), parent.children.end());
  parent.unsettled_children = static_cast<int>(items.size());
  parent.running_children = 0;
  parent.next_child = 0;
  fill_slots(state, parent);
}

void remove_children(WorkflowState& state, TaskRecord& parent) {
  if (parent.children.empty()) return;
  for (const TaskId& child : parent.children) state.tasks.erase(child);
  auto at = std::ranges::find(state.order, parent.children.front());
  state.order.erase(at, at + static_cast<std::ptrdiff_t>(parent.children.size()));
  parent.children.clear();
  parent.unsettled_children = parent.running_children = 0;
  parent.next_child = 0;
}

void forget_run(WorkflowState& state, TaskRecord& task, TaskMachine next) {
  if (!task.parent && settled(task)) ++state.unsettled[task.phase];
  assign(state, task, std::move(next));
  task.blocked = false;
  task.round = state.round;
  task.attempts = 0;
  task.approved = false;
  task.agent = {};
  task.summary.clear();
  task.outputs = {};
  task.evidence.clear();
  task.artifacts.clear();
  task.commit.clear();
  task.feedback.reset();
  task.findings.clear();
  task.duration_ms = 0;
}

void recount_needs(const WorkflowState& state, TaskRecord& task) {
  task.unmet_needs = 0;
  for (const TaskId& need : task.definition->needs)
    if (auto it = state.tasks.find(need); it != state.tasks.end() && !settled(it->second)) ++task.unmet_needs;
}

void reconsider(WorkflowState& state, const TaskId& task) {
  run(state, {&state.tasks.at(task)});
}

}  // namespace conductorai::core
