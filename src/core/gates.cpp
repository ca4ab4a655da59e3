// The gate at the end of a phase: evaluated once, when nothing in the phase runs or can start.

#include <algorithm>
#include <array>
#include <set>

#include "core/decision.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

const GateDefinition& gate_of(const WorkflowState& state) {
  static const GateDefinition standard;
  constexpr std::array names{"development", "devops", "monitoring"};
  auto it = state.definition->gates.find(names.at(static_cast<std::size_t>(state.phase)));
  return it == state.definition->gates.end() ? standard : it->second;
}

/// One sentence a task that FAILED, or was cancelled when a deadline ended an earlier run.
std::vector<std::string> failures(const WorkflowState& state) {
  std::vector<std::string> out;
  for (const TaskId& id : state.by_phase[state.phase]) {
    const TaskRecord& task = state.tasks.at(id);
    if (has_failed(task)) out.push_back("task " + id.value + " failed: " + std::get<task_state::Failed>(task.machine).error->message);
    if (std::holds_alternative<task_state::Cancelled>(task.machine)) out.push_back("task " + id.value + " was cancelled");
  }
  return out;
}

std::optional<Error> first_error(const WorkflowState& state) {
  for (const TaskId& id : state.by_phase[state.phase])
    if (const TaskRecord& task = state.tasks.at(id); has_failed(task)) return *std::get<task_state::Failed>(task.machine).error;
  return std::nullopt;
}

/// Verdicts that continue-on-error forgives count for nothing.
PassGate count(const WorkflowState& state) {
  PassGate gate{.workflow = state.id, .phase = state.phase, .definition = state.definition.get()};
  for (const TaskId& id : state.by_phase[state.phase]) {
    const TaskRecord& task = state.tasks.at(id);
    if (judged_without_evidence(state, task)) ++gate.without_evidence;
    const auto* done = std::get_if<task_state::Completed>(&task.machine);
    if (done == nullptr) continue;
    if (done->verdict == Verdict::passed)
      ++gate.passed;
    else if (has_failed_verdict(task))
      ++gate.failed;
    else
      ++gate.without_verdict;
  }
  return gate;
}

std::vector<Digest> evidence(const WorkflowState& state) {
  std::vector<Digest> out;
  std::set<Digest> seen;
  for (const TaskId& id : state.by_phase[state.phase]) {
    const TaskRecord& task = state.tasks.at(id);
    const auto* done = std::get_if<task_state::Completed>(&task.machine);
    if (done == nullptr || done->verdict == Verdict::none) continue;
    for (const Evidence& item : task.evidence)
      if (!item.artifact.empty() && seen.insert(item.artifact).second) out.push_back(item.artifact);
  }
  return out;
}

/// What holds without any policy: evidence for each verdict, the success rate, the gate's own approval.
PolicyDecision check_minimum(const WorkflowState& state, const PassGate& gate) {
  if (gate.without_evidence > 0) return {PolicyVerdict::deny, {std::to_string(gate.without_evidence) + " verdicts cite no evidence"}};
  const int judged = gate.passed + gate.failed;
  if (judged > 0 && gate.passed < gate_of(state).min_success_rate * judged)
    return {PolicyVerdict::deny, {std::to_string(gate.passed) + " of " + std::to_string(judged) + " verdicts passed"}};
  if (gate_of(state).approval && !gate.approved)
    return {PolicyVerdict::needs_approval, {"the gate of " + std::string(to_string(state.phase)) + " asks for approval"}};
  return {};
}

PolicyDecision check(const Decision& decision, const PassGate& gate) {
  PolicyDecision minimum = check_minimum(decision.state(), gate);
  if (!decision.context().check) return minimum;
  PolicyDecision policies = decision.context().check(gate);
  // A gate can't wait for anything that would wake it.
  if (policies.verdict == PolicyVerdict::wait) policies.verdict = PolicyVerdict::deny;
  if (policies.verdict == PolicyVerdict::needs_approval && gate.approved) policies.verdict = PolicyVerdict::allow;
  return minimum.verdict > policies.verdict ? minimum : policies;
}

void decide_gate(Decision& decision, bool passed, std::vector<std::string> reasons) {
  const WorkflowState& state = decision.state();
  GateDecided event{
      .phase = state.phase, .round = state.round, .passed = passed, .reasons = std::move(reasons), .evidence = evidence(state)};
  if (passed && state.phase != Phase::monitoring) event.next_phase = static_cast<Phase>(static_cast<int>(state.phase) + 1);
  decision.emit(std::move(event));
}

std::vector<std::string> warnings(const WorkflowState& state) {
  std::vector<std::string> out;
  for (const TaskId& id : state.order) {
    const TaskRecord& task = state.tasks.at(id);
    if (task.parent) continue;
    const auto* done = std::get_if<task_state::Completed>(&task.machine);
    const auto* failed = std::get_if<task_state::Failed>(&task.machine);
    const auto* skipped = std::get_if<task_state::Skipped>(&task.machine);
    if (skipped != nullptr && skipped->by_agent) out.push_back("task " + id.value + " was skipped: " + skipped->reason);
    if (failed != nullptr) out.push_back("task " + id.value + " failed and was tolerated: " + failed->error->message);
    if (done != nullptr && done->verdict == Verdict::failed) out.push_back("task " + id.value + " has a failed verdict: " + task.summary);
    if (task.blocked) out.push_back("task " + id.value + " never ran: a task it needs did not pass");
  }
  return out;
}

void pass(Decision& decision, std::vector<std::string> reasons) {
  const bool last = decision.state().phase == Phase::monitoring;
  decide_gate(decision, true, std::move(reasons));
  if (last) decision.emit(WorkflowCompleted{.warnings = warnings(decision.state())});
}

void fail_workflow(Decision& decision, const std::vector<std::string>& reasons, std::optional<Error> error) {
  std::string reason = reasons.front();
  if (reasons.size() > 1) reason += " (and " + std::to_string(reasons.size() - 1) + " more)";
  decide_gate(decision, false, reasons);
  decision.emit(WorkflowFailed{.reason = std::move(reason), .error = std::move(error)});
}

void ask_approval(Decision& decision, const std::vector<std::string>& reasons) {
  const WorkflowState& state = decision.state();
  ApprovalRequested request{.approval = gate_approval_id(state, state.phase),
                            .phase = state.phase,
                            .round = state.round,
                            .reason = reasons.empty() ? "a policy asks for approval" : reasons.front()};
  const Milliseconds timeout = state.definition->policies.approval_timeout;
  if (timeout > Milliseconds(0)) request.expires_at = decision.context().now + timeout;
  decision.emit(std::move(request));
}

void refuse(Decision& decision, const PassGate& gate, std::vector<std::string> reasons) {
  const std::string phase(to_string(decision.state().phase));
  if (reasons.empty()) reasons.push_back("a policy refuses it");
  if (gate.failed == 0) {
    reasons.front() = "the gate of " + phase + " is not passed: " + reasons.front();
    return fail_workflow(decision, reasons, std::nullopt);
  }
  decide_gate(decision, false, std::move(reasons));
  open_next_round(decision);
}

}  // namespace

bool judged_without_evidence(const WorkflowState& state, const TaskRecord& task) {
  const auto* done = std::get_if<task_state::Completed>(&task.machine);
  const bool judged = done != nullptr && (done->verdict == Verdict::passed || has_failed_verdict(task));
  if (judged && task.evidence.empty()) return true;
  return std::ranges::any_of(task.children, [&](const TaskId& child) { return judged_without_evidence(state, state.tasks.at(child)); });
}

bool end_phase(Decision& decision) {
  const WorkflowState& state = decision.state();
  if (state.by_phase[state.phase].empty()) return pass(decision, {}), true;
  if (auto failed = failures(state); !failed.empty()) return fail_workflow(decision, failed, first_error(state)), true;
  const Approval* approval = find_approval(state, gate_approval_id(state, state.phase));
  if (approval != nullptr && is_open(*approval)) return false;
  if (approval != nullptr && approval->outcome != ApprovalOutcome::approved) {
    const Error refused = refusal(*approval);
    return fail_workflow(decision, {refused.message}, refused), true;
  }
  PassGate gate = count(state);
  gate.approved = approval != nullptr;
  PolicyDecision answer = check(decision, gate);
  if (answer.verdict == PolicyVerdict::allow)
    pass(decision, std::move(answer.reasons));
  else if (answer.verdict == PolicyVerdict::needs_approval)
    ask_approval(decision, answer.reasons);
  else
    refuse(decision, gate, std::move(answer.reasons));
  return true;
}

}  // namespace conductorai::core
