#include "core/workflow_machine.hpp"

#include <array>

namespace conductorai::core {
namespace {

using enum WorkflowForm;
using In = WorkflowInput;

constexpr std::array kEdges{
    WorkflowEdge{pending, In::start, in_progress},
    WorkflowEdge{in_progress, In::fork, in_progress},
    WorkflowEdge{in_progress, In::claim, in_progress},
    WorkflowEdge{in_progress, In::pause, paused},
    WorkflowEdge{in_progress, In::resume, in_progress},  // an interrupted one taken up again with other flags
    WorkflowEdge{in_progress, In::request_cancel, cancelling},
    WorkflowEdge{in_progress, In::complete, completed},
    WorkflowEdge{in_progress, In::fail, failed},
    WorkflowEdge{in_progress, In::open_round, in_progress},
    WorkflowEdge{in_progress, In::decide_gate, in_progress},
    WorkflowEdge{in_progress, In::record, in_progress},
    WorkflowEdge{in_progress, In::begin, in_progress},
    WorkflowEdge{in_progress, In::resolve, in_progress},
    WorkflowEdge{paused, In::claim, paused},
    WorkflowEdge{paused, In::resume, in_progress},
    WorkflowEdge{paused, In::request_cancel, cancelling},
    WorkflowEdge{paused, In::record, paused},  // attempts that were live end normally
    WorkflowEdge{paused, In::resolve, paused},
    WorkflowEdge{cancelling, In::claim, cancelling},
    WorkflowEdge{cancelling, In::clean_up, WorkflowForm::cleaning_up},
    WorkflowEdge{cancelling, In::cancel, cancelled},
    WorkflowEdge{cancelling, In::fail, failed},  // the deadline
    WorkflowEdge{WorkflowForm::cleaning_up, In::claim, WorkflowForm::cleaning_up},
    WorkflowEdge{WorkflowForm::cleaning_up, In::begin, WorkflowForm::cleaning_up},
    WorkflowEdge{WorkflowForm::cleaning_up, In::record, WorkflowForm::cleaning_up},
    WorkflowEdge{WorkflowForm::cleaning_up, In::request_cancel, cancelling},  // again, or it took too long: for good
    WorkflowEdge{WorkflowForm::cleaning_up, In::cancel, cancelled},
    WorkflowEdge{WorkflowForm::cleaning_up, In::fail, failed},
    WorkflowEdge{failed, In::reopen, in_progress},
};

struct InputOf {
  In operator()(const WorkflowStarted&) const { return In::start; }
  In operator()(const WorkflowForked&) const { return In::fork; }
  In operator()(const WorkflowClaimed&) const { return In::claim; }
  In operator()(const WorkflowPaused&) const { return In::pause; }
  In operator()(const WorkflowResumed&) const { return In::resume; }
  In operator()(const WorkflowCancelRequested&) const { return In::request_cancel; }
  In operator()(const WorkflowCancelled&) const { return In::cancel; }
  In operator()(const WorkflowCleanupStarted&) const { return In::clean_up; }
  In operator()(const WorkflowCompleted&) const { return In::complete; }
  In operator()(const WorkflowFailed&) const { return In::fail; }
  In operator()(const TaskCompleted&) const { return In::record; }
  In operator()(const TaskFailed&) const { return In::record; }
  In operator()(const TaskSkipped& event) const { return event.attempt ? In::record : In::begin; }
  In operator()(const TaskExpanded&) const { return In::begin; }
  In operator()(const GateDecided&) const { return In::decide_gate; }
  In operator()(const RoundOpened& event) const { return event.kind == RoundKind::retry ? In::reopen : In::open_round; }
  In operator()(const ApprovalRequested&) const { return In::begin; }
  In operator()(const ApprovalResolved&) const { return In::resolve; }
};

}  // namespace

std::span<const WorkflowEdge> workflow_edges() {
  return kEdges;
}

WorkflowForm form_of(const WorkflowMachine& machine) {
  return static_cast<WorkflowForm>(machine.index());
}

std::optional<WorkflowForm> next_form(const WorkflowMachine& machine, WorkflowInput input) {
  for (const WorkflowEdge& edge : kEdges)
    if (edge.from == form_of(machine) && edge.input == input) return edge.to;
  return std::nullopt;
}

bool in_progress(const WorkflowState& state) {
  return std::holds_alternative<workflow_state::InProgress>(state.machine);
}

WorkflowInput input_of(const Event& event) {
  return std::visit(InputOf{}, event);
}

bool is_open(const Approval& approval) {
  return !approval.outcome.has_value();
}

// One of each a round: a task or gate that asks again does so in a later round.
ApprovalId task_approval_id(const WorkflowState& state, const TaskId& task) {
  return ApprovalId(task.value + "@" + std::to_string(state.round));
}

ApprovalId gate_approval_id(const WorkflowState& state, Phase phase) {
  return ApprovalId("gate:" + std::string(to_string(phase)) + "@" + std::to_string(state.round));
}

const Approval* find_approval(const WorkflowState& state, const ApprovalId& id) {
  auto it = state.approvals.find(id);
  return it == state.approvals.end() ? nullptr : &it->second;
}

std::string subject_of(const ApprovalRequested& request) {
  if (request.task) return "task " + request.task->value;
  return "gate " + std::string(to_string(request.phase.value_or(Phase::development)));
}

Error refusal(const Approval& approval) {
  std::string text = "approval of " + subject_of(approval.request);
  if (approval.outcome == ApprovalOutcome::expired)
    text += " expired";
  else
    text += " was rejected" + (approval.by.empty() ? "" : " by " + approval.by);
  if (!approval.comment.empty()) text += ": " + approval.comment;
  return {.code = approval.outcome == ApprovalOutcome::expired ? ErrorCode::timeout : ErrorCode::permission_denied,
          .message = std::move(text)};
}

}  // namespace conductorai::core
