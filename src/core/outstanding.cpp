// What the world still owes a state. Derived, never stored: a restart is the same code as an ordinary turn.

#include <algorithm>

#include "core/decide.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

class Owed {
 public:
  explicit Owed(const WorkflowState& state) : state_(state) {}

  void branch() {
    if (!state_.head.empty() && state_.head != state_.base_commit) effects_.emplace_back(MoveBranch{state_.head});
  }
  /// The attempt's hand-over, or the expiry of the approval it waits for.
  void task(const TaskId& id) {
    const TaskRecord& task = state_.tasks.at(id);
    if (const auto* live = std::get_if<task_state::Live>(&task.machine))
      effects_.emplace_back(DispatchTask{{state_.id, id, task.round, live->attempt}, live->not_before});
    if (const auto* waiting = std::get_if<task_state::AwaitingApproval>(&task.machine)) approval(waiting->approval);
  }
  void approval(const ApprovalId& id) {
    const Approval* found = find_approval(state_, id);
    if (found == nullptr || !is_open(*found) || !found->request.expires_at) return;
    effects_.emplace_back(StartTimer{{.kind = FireTimer::Kind::approval, .approval = id}, *found->request.expires_at});
  }
  void gate_approval() { approval(gate_approval_id(state_, state_.phase)); }
  void cleanup_deadline() {
    if (const auto* cleaning = std::get_if<workflow_state::CleaningUp>(&state_.machine))
      effects_.emplace_back(StartTimer{{.kind = FireTimer::Kind::cleanup}, cleaning->until});
  }
  void deadline() {
    if (const auto at = core::deadline(state_)) effects_.emplace_back(StartTimer{{.kind = FireTimer::Kind::workflow}, *at});
  }
  /// What is owed beside single tasks, by the form of the workflow.
  void ending() {
    if (form_of(state_.machine) == WorkflowForm::cancelling) effects_.emplace_back(StopAttempts{});
    if (terminal(state_)) effects_.emplace_back(CloseWorkflow{});
  }
  std::vector<Effect> take() && { return std::move(effects_); }

 private:
  const WorkflowState& state_;
  std::vector<Effect> effects_;
};

template <class... E>
bool any_of(const std::vector<Event>& events) {
  return std::ranges::any_of(events, [](const Event& event) { return (std::holds_alternative<E>(event) || ...); });
}

/// A workflow that goes on after it stood still owes everything again.
bool goes_on(const std::vector<Event>& events) {
  return std::ranges::any_of(events, [](const Event& event) {
    const WorkflowInput input = input_of(event);
    return input == WorkflowInput::start || input == WorkflowInput::claim || input == WorkflowInput::resume ||
           input == WorkflowInput::reopen || input == WorkflowInput::clean_up;
  });
}

}  // namespace

std::vector<Effect> outstanding(const WorkflowState& state) {
  Owed owed(state);
  owed.branch();
  if (in_progress(state)) {
    for (const TaskId& id : state.live) owed.task(id);
    owed.gate_approval();
    owed.deadline();
  }
  if (cleaning_up(state)) {
    for (const TaskId& id : state.live) owed.task(id);
    owed.cleanup_deadline();
  }
  owed.ending();
  return std::move(owed).take();
}

std::vector<Effect> newly_outstanding(const WorkflowState& state, const std::vector<Event>& events) {
  if (goes_on(events)) return outstanding(state);
  Owed owed(state);
  const bool merged = std::ranges::any_of(events, [](const Event& event) {
    const auto* done = std::get_if<TaskCompleted>(&event);
    return done != nullptr && !done->head.empty();
  });
  if (merged) owed.branch();
  if (in_progress(state) || cleaning_up(state)) {
    const std::uint64_t before = state.last_seq - events.size();
    for (auto it = state.live_since.lower_bound({before + 1, TaskId()}); it != state.live_since.end(); ++it) owed.task(it->second);
    if (any_of<ApprovalRequested>(events)) owed.gate_approval();
  }
  if (any_of<WorkflowCancelRequested, WorkflowCancelled, WorkflowCompleted, WorkflowFailed>(events)) owed.ending();
  return std::move(owed).take();
}

}  // namespace conductorai::core
