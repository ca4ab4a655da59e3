#pragma once
// The workflow machine and the approval machine: which recorded facts fit which state. Private to core; tests read the tables.

#include <optional>
#include <span>
#include <string_view>

#include "core/state.hpp"

namespace conductorai::core {

enum class WorkflowInput {
  start,           // workflow.started
  fork,            // workflow.forked
  claim,           // workflow.claimed
  pause,           // workflow.paused
  resume,          // workflow.resumed
  request_cancel,  // workflow.cancel_requested
  clean_up,        // workflow.cleanup_started
  cancel,          // workflow.cancelled
  complete,        // workflow.completed
  fail,            // workflow.failed
  reopen,          // round.opened by a retry
  open_round,      // round.opened by rework or feedback
  decide_gate,     // gate.decided
  record,          // task.completed, task.failed
  begin,           // task.skipped, task.expanded, approval.requested
  resolve,         // approval.resolved
};

/// In the order of WorkflowMachine's alternatives.
enum class WorkflowForm { pending, in_progress, paused, cancelling, cleaning_up, completed, failed, cancelled };

struct WorkflowEdge {
  WorkflowForm from;
  WorkflowInput input;
  WorkflowForm to;
};

[[nodiscard]] std::span<const WorkflowEdge> workflow_edges();
[[nodiscard]] WorkflowForm form_of(const WorkflowMachine& machine);
[[nodiscard]] std::optional<WorkflowForm> next_form(const WorkflowMachine& machine, WorkflowInput input);
[[nodiscard]] bool in_progress(const WorkflowState& state);

/// Every event is an input of the workflow machine.
[[nodiscard]] WorkflowInput input_of(const Event& event);

/// An approval resolves once; later answers do not fit.
[[nodiscard]] bool is_open(const Approval& approval);
/// Of the task's start or the gate's passing, in the present round; null when it was never asked for.
[[nodiscard]] ApprovalId task_approval_id(const WorkflowState& state, const TaskId& task);
[[nodiscard]] ApprovalId gate_approval_id(const WorkflowState& state, Phase phase);
[[nodiscard]] const Approval* find_approval(const WorkflowState& state, const ApprovalId& id);
/// "task deploy", "gate DEVELOPMENT"
[[nodiscard]] std::string subject_of(const ApprovalRequested& request);
/// Of an approval that was rejected or expired: "approval of task deploy was rejected by ann: not today".
[[nodiscard]] Error refusal(const Approval& approval);

}  // namespace conductorai::core
