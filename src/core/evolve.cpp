// evolve: applies one recorded fact. Each handler answers whether the fact fits; one that does not parks the workflow.

#include <algorithm>

#include "core/codec.hpp"
#include "core/decide.hpp"
#include "core/readiness.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

template <class T>
void add(std::optional<T>& sum, const std::optional<T>& more) {
  if (more) sum = sum.value_or(0) + *more;
}

void add(BudgetDefinition& sum, const BudgetDefinition& more) {
  for (auto amount : {&BudgetDefinition::usd_micros, &BudgetDefinition::tokens, &BudgetDefinition::calls, &BudgetDefinition::wall_ms})
    add(sum.*amount, more.*amount);
}

class Evolution {
 public:
  Evolution(WorkflowState& state, Timestamp at) : state_(state), at_(at) {}

  bool operator()(const WorkflowStarted& event) {
    state_.machine = workflow_state::InProgress{};
    state_.started_at = state_.deadline_from = at_;
    state_.branch = event.branch;
    state_.base_commit = state_.head = event.base_commit;
    state_.owner = event.owner;
    state_.passes[state_.phase] = 1;
    enter_phase(state_, state_.phase);
    return true;
  }

  bool operator()(const WorkflowForked& event) {
    state_.origin = event;
    return true;
  }

  bool operator()(const WorkflowClaimed& event) {
    state_.owner = event.owner;
    return true;
  }

  bool operator()(const WorkflowPaused& event) {
    state_.machine = workflow_state::Paused{event.kind, event.reason};
    return true;
  }

  bool operator()(const WorkflowResumed& event) {
    state_.machine = workflow_state::InProgress{};
    apply(event.overrides);
    start_ready(state_);
    return true;
  }

  bool operator()(const WorkflowCancelRequested& event) {
    const auto* cleaning = std::get_if<workflow_state::CleaningUp>(&state_.machine);
    const bool deadline = event.deadline || (cleaning != nullptr && cleaning->deadline);
    state_.machine = workflow_state::Cancelling{event.reason, deadline, cleaning != nullptr};
    return true;
  }

  bool operator()(const WorkflowCleanupStarted& event) {
    std::set<TaskId> goes_on;
    workflow_state::CleaningUp cleaning{.left = {}, .until = event.until};
    for (const TaskId& id : event.tasks) {
      const TaskRecord* task = find(id);
      if (task == nullptr || task->parent) return false;
      if (live_attempt(*task) > 0)
        goes_on.insert(id);
      else if (std::holds_alternative<task_state::Waiting>(task->machine))
        cleaning.left.push_back(id);
      else
        return false;
    }
    const auto stopping = std::get<workflow_state::Cancelling>(state_.machine);
    cleaning.reason = stopping.reason;
    cleaning.deadline = stopping.deadline;
    cancel_unfinished(goes_on);
    state_.machine = std::move(cleaning);
    return true;
  }

  bool operator()(const WorkflowCancelled& event) {
    state_.machine = workflow_state::Cancelled{event.reason};
    return cancel_unfinished();
  }

  bool operator()(const WorkflowCompleted& event) {
    state_.machine = workflow_state::Completed{};
    state_.warnings = event.warnings;
    return true;
  }

  bool operator()(const WorkflowFailed& event) {
    state_.machine = workflow_state::Failed{event.reason, event.error};
    return cancel_unfinished();
  }

  bool operator()(const TaskCompleted& event) {
    TaskRecord* task = of_attempt(event.id, TaskInput::complete);
    if (task == nullptr || task->unsettled_children > 0) return false;
    task->agent = event.agent;
    task->summary = event.summary;
    task->outputs = event.outputs;
    task->evidence = event.evidence;
    task->artifacts = event.artifacts;
    task->commit = event.commit;
    task->feedback = event.feedback;
    task->findings.clear();
    account(*task, event.usage, event.duration_ms);
    if (!event.head.empty()) state_.head = event.head;
    change(state_, *task, task_state::Completed{event.verdict});
    return true;
  }

  bool operator()(const TaskFailed& event) {
    TaskRecord* task = of_attempt(event.id, event.retry_at ? TaskInput::retry : TaskInput::fail);
    if (task == nullptr) return false;
    task->agent = event.agent;
    task->evidence = event.evidence;
    task->artifacts = event.artifacts;
    task->findings = event.findings;
    task->summary = event.error.message;
    account(*task, event.usage, event.duration_ms);
    if (event.retry_at) {
      task->attempts = event.id.attempt + 1;
      change(state_, *task, task_state::Live{.attempt = task->attempts, .base = state_.head, .not_before = event.retry_at});
    } else {
      change(state_, *task, task_state::Failed{event.error, task->definition->continue_on_error});
    }
    return true;
  }

  bool operator()(const TaskSkipped& event) {
    TaskRecord* task = of_run(event.task, event.round, TaskInput::skip);
    if (task == nullptr) return false;
    task->attempts = 0;
    change(state_, *task, task_state::Skipped{event.reason, event.attempt.has_value()});
    return true;
  }

  bool operator()(const TaskExpanded& event) {
    TaskRecord* task = of_run(event.task, event.round, TaskInput::expand);
    if (task == nullptr || task->parent) return false;
    change(state_, *task, task_state::Expanded{});
    remove_children(state_, *task);
    add_children(state_, *task, event.items);
    return true;
  }

  bool operator()(const GateDecided& event) {
    if (event.phase != state_.phase || event.round != state_.round) return false;
    if (!event.passed) return true;
    state_.gate_passed[event.phase] = true;
    if (!event.next_phase) return true;
    if (*event.next_phase <= event.phase) return false;
    state_.phase = *event.next_phase;
    state_.passes[state_.phase] = 1;
    enter_phase(state_, state_.phase);
    return true;
  }

  bool operator()(const RoundOpened& event);
  bool operator()(const ApprovalRequested& event);
  bool operator()(const ApprovalResolved& event);

 private:
  TaskRecord* find(const TaskId& id) {
    auto it = state_.tasks.find(id);
    return it == state_.tasks.end() ? nullptr : &it->second;
  }
  TaskRecord* of_run(const TaskId& id, int round, TaskInput input) {
    TaskRecord* task = find(id);
    const bool fits = task != nullptr && task->round == round && next_form(task->machine, input);
    return fits ? task : nullptr;
  }
  /// A foreach parent has no attempts of its own: its end stands under attempt 1.
  TaskRecord* of_attempt(const AttemptId& id, TaskInput input) {
    TaskRecord* task = of_run(id.task, id.round, input);
    if (task == nullptr) return nullptr;
    const int expected = std::holds_alternative<task_state::Expanded>(task->machine) ? 1 : live_attempt(*task);
    return expected == id.attempt ? task : nullptr;
  }
  void account(TaskRecord& task, const Usage& usage, std::int64_t duration_ms) {
    task.usage += usage;
    task.duration_ms = duration_ms;
    state_.usage += usage;
  }
  bool cancel_unfinished(const std::set<TaskId>& but = {}) {
    // Nobody can answer them any more, also when a retry reopens the workflow: it asks anew.
    for (auto& [id, approval] : state_.approvals)
      if (is_open(approval)) approval.outcome = ApprovalOutcome::expired;
    const std::set<TaskId> live = state_.live;
    const std::set<TaskId> expanded = state_.expanded;
    for (const TaskId& id : live)
      if (!but.contains(id)) change(state_, state_.tasks.at(id), task_state::Cancelled{});
    for (const TaskId& id : expanded) {
      for (const TaskId& child : state_.tasks.at(id).children)
        if (TaskRecord& record = state_.tasks.at(child); !settled(record)) change(state_, record, task_state::Cancelled{});
      change(state_, state_.tasks.at(id), task_state::Cancelled{});
    }
    return true;
  }
  void apply(const RunOverrides& overrides) {
    if (overrides.llm) state_.overrides.llm = overrides.llm;
    if (overrides.sandbox_enabled) state_.overrides.sandbox_enabled = overrides.sandbox_enabled;
    add(state_.overrides.add_budget, overrides.add_budget);
    if (overrides.add_day_budget) {
      if (!state_.overrides.add_day_budget) state_.overrides.add_day_budget.emplace();
      add(*state_.overrides.add_day_budget, *overrides.add_day_budget);
    }
    if (!overrides.llm && !overrides.sandbox_enabled) return;
    auto definition = std::make_shared<WorkflowDefinition>(*state_.definition);
    if (overrides.llm) definition->llm = *overrides.llm;
    if (overrides.sandbox_enabled) definition->sandbox.enabled = *overrides.sandbox_enabled;
    state_.definition = std::move(definition);
  }
  bool reset_tasks(const std::vector<TaskId>& reset);
  void reset_task(TaskRecord& task, const std::set<TaskId>& children);

  WorkflowState& state_;
  Timestamp at_;
};

/// A foreach parent that is named with some of its children keeps the results of the others; named alone it is expanded anew.
void Evolution::reset_task(TaskRecord& task, const std::set<TaskId>& children) {
  const bool reopens = std::ranges::any_of(task.children, [&](const TaskId& child) { return children.contains(child); });
  if (!reopens) {
    forget_run(state_, task, task_state::Waiting{});
    remove_children(state_, task);
    return;
  }
  forget_run(state_, task, task_state::Expanded{});
  task.attempts = 1;
  task.next_child = 0;
  for (const TaskId& id : task.children) {
    if (!children.contains(id)) continue;
    TaskRecord& child = state_.tasks.at(id);
    if (settled(child)) ++task.unsettled_children;
    forget_run(state_, child, task_state::Waiting{});
  }
}

bool Evolution::reset_tasks(const std::vector<TaskId>& reset) {
  const std::set<TaskId> named(reset.begin(), reset.end());
  std::set<TaskId> children;
  std::vector<TaskRecord*> tasks;
  for (const TaskId& id : named) {
    TaskRecord* task = find(id);
    if (task == nullptr || !next_form(task->machine, TaskInput::reset)) return false;
    if (task->parent) {
      if (!named.contains(*task->parent) || !next_form(find(*task->parent)->machine, TaskInput::reopen)) return false;
      children.insert(id);
    } else {
      tasks.push_back(task);
    }
  }
  for (TaskRecord* task : tasks) reset_task(*task, children);
  for (const TaskRecord* task : tasks)
    for (const TaskId& dependent : task->dependents) recount_needs(state_, state_.tasks.at(dependent));
  for (const TaskRecord* task : tasks) reconsider(state_, task->definition->id);
  start_ready(state_);
  return true;
}

bool Evolution::operator()(const RoundOpened& event) {
  if (event.round != state_.round + 1) return false;
  Phase phase = state_.phase;
  for (const TaskId& id : event.reset)
    if (const TaskRecord* task = find(id)) phase = std::min(phase, task->phase);
  state_.round = event.round;
  state_.rounds.push_back({event.round, event.kind, event.target, event.feedback});
  state_.passes[phase] = event.kind == RoundKind::rework ? state_.passes[phase] + 1 : 1;
  if (event.kind == RoundKind::feedback) ++state_.loops;
  if (event.kind == RoundKind::retry) {
    state_.machine = workflow_state::InProgress{};
    state_.loops_before_retry = state_.loops;
    state_.deadline_from = at_;
  }
  state_.phase = phase;
  std::erase_if(state_.gate_passed, [&](const auto& gate) { return gate.first >= phase; });
  return reset_tasks(event.reset);
}

bool Evolution::operator()(const ApprovalRequested& event) {
  if (event.task.has_value() == event.phase.has_value()) return false;
  if (event.phase && *event.phase != state_.phase) return false;
  TaskRecord* task = event.task ? of_run(*event.task, event.round, TaskInput::ask) : nullptr;
  if (event.task && task == nullptr) return false;
  if (!state_.approvals.emplace(event.approval, Approval{.request = event}).second) return false;
  if (task != nullptr) {
    task->attempts = 0;
    change(state_, *task, task_state::AwaitingApproval{event.approval});
  }
  return true;
}

bool Evolution::operator()(const ApprovalResolved& event) {
  auto it = state_.approvals.find(event.approval);
  if (it == state_.approvals.end() || !is_open(it->second)) return false;
  Approval& approval = it->second;
  approval.outcome = event.outcome;
  approval.by = event.by;
  approval.comment = event.comment;
  if (!approval.request.task) return true;
  const bool approved = event.outcome == ApprovalOutcome::approved;
  TaskRecord* task = of_run(*approval.request.task, approval.request.round, approved ? TaskInput::approve : TaskInput::refuse);
  if (task == nullptr) return false;
  task->approved = approved;
  if (approved)
    change(state_, *task, task_state::Waiting{});
  else
    change(state_, *task, task_state::Failed{refusal(approval), task->definition->continue_on_error});
  return true;
}

/// A journal that cannot be followed may still be ended by hand.
bool ends(const Event& event) {
  return std::holds_alternative<WorkflowCancelRequested>(event) || std::holds_alternative<WorkflowCancelled>(event);
}

void park(WorkflowState& state, const Event& event) {
  state.parked =
      "event " + std::to_string(state.last_seq) + " (" + std::string(event_tag(event)) + ") does not fit what the journal says before it";
  state.machine = workflow_state::Paused{PauseKind::storage, state.parked};
}

}  // namespace

void evolve(WorkflowState& state, const Event& event, Timestamp at) {
  ++state.last_seq;
  state.updated_at = at;
  state.claims_without_progress = std::holds_alternative<WorkflowClaimed>(event) ? state.claims_without_progress + 1 : 0;
  if (!state.parked.empty() && !ends(event)) return;
  const bool fits = next_form(state.machine, input_of(event)) && std::visit(Evolution(state, at), event);
  if (!fits) return park(state, event);
  start_next_cleanup(state);
}

}  // namespace conductorai::core
