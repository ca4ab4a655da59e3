#include "facade/view.hpp"

#include <set>

#include "facade/fallback_warnings.hpp"

namespace conductorai::facade {

namespace {

TaskView task_view(const core::WorkflowState& state, const core::TaskRecord& task, const ViewSources& sources) {
  TaskView view{.id = task.definition->id,
                .agent = task.definition->agent,
                .agent_id = task.agent,
                .phase = task.phase,
                .status = core::status(state, task),
                .round = task.round,
                .attempts = task.attempts,
                .summary = task.summary,
                .evidence = task.evidence,
                .artifacts = task.artifacts,
                .outputs = task.outputs,
                .duration_ms = task.duration_ms,
                .needs = task.definition->needs};
  if (const auto* completed = std::get_if<core::task_state::Completed>(&task.machine)) view.verdict = completed->verdict;
  if (const auto* failed = std::get_if<core::task_state::Failed>(&task.machine)) view.reason = to_string(*failed->error);
  if (const auto* skipped = std::get_if<core::task_state::Skipped>(&task.machine)) view.reason = skipped->reason;
  if (std::holds_alternative<core::task_state::AwaitingApproval>(task.machine)) view.reason = "waits for approval";
  if (auto it = sources.waiting.find(view.id); it != sources.waiting.end()) view.reason = it->second;
  return view;
}

std::vector<ApprovalView> open_approvals(const core::WorkflowState& state) {
  std::vector<ApprovalView> open;
  for (const auto& [id, approval] : state.approvals) {
    if (approval.outcome) continue;
    const ApprovalRequested& request = approval.request;
    open.push_back(
        {.id = id,
         .subject = request.task ? "task " + request.task->value : "gate " + std::string(to_string(request.phase.value_or(state.phase))),
         .reason = request.reason,
         .expires_at = request.expires_at});
  }
  return open;
}

Usage usage_of(const std::vector<StepRecord>& steps) {
  Usage usage;
  for (const StepRecord& step : steps) {
    if (step.kind == "llm")
      usage += step.usage;
    else
      usage.wall_ms += step.usage.wall_ms;
  }
  return usage;
}

/// What agents say that they work on, of one workflow.
struct AtWork {
  std::set<std::string> tasks;
  std::map<AgentType, int> of_type;
  std::map<AgentType, int> closed_breakers;
};

AtWork at_work(const WorkflowId& workflow, const std::vector<AgentState>& agents) {
  AtWork found;
  const std::string prefix = workflow.value + "/";
  for (const AgentState& agent : agents) {
    found.closed_breakers[agent.type] += agent.breaker == "open" ? 0 : 1;
    for (const std::string& task : agent.current_tasks)
      if (task.starts_with(prefix) && found.tasks.insert(task.substr(prefix.size())).second) ++found.of_type[agent.type];
  }
  return found;
}

std::string limit_reached(const core::WorkflowState& state, const AtWork& now, const TaskDefinition& task,
                          const orchestration::PolicyEngine& policies) {
  const auto of_type = now.of_type.find(task.agent);
  const PolicyDecision decision = policies.check(StartTask{.workflow = state.id,
                                                           .task = &task,
                                                           .definition = state.definition.get(),
                                                           .running_workflow = static_cast<int>(now.tasks.size()),
                                                           .running_type = of_type == now.of_type.end() ? 0 : of_type->second,
                                                           .approved = true});
  if (decision.verdict == PolicyVerdict::wait) return decision.reasons.front();
  const auto closed = now.closed_breakers.find(task.agent);
  if (closed != now.closed_breakers.end() && closed->second == 0) return "the breaker of every '" + task.agent.value + "' agent is open";
  return {};
}

}  // namespace

std::map<TaskId, std::string> waiting_elsewhere(const core::WorkflowState& state, const std::vector<AgentState>& agents,
                                                const orchestration::PolicyEngine& policies, Timestamp now) {
  const AtWork busy = at_work(state.id, agents);
  std::map<TaskId, std::string> reasons;
  for (const TaskId& id : state.live) {
    const core::TaskRecord& task = state.tasks.at(id);
    const auto* live = std::get_if<core::task_state::Live>(&task.machine);
    if (live == nullptr || busy.tasks.contains(id.value)) continue;
    std::string reason;
    if (live->not_before && *live->not_before > now)
      reason = "its next try is due in " + std::to_string((*live->not_before - now).count()) + " ms";
    else
      reason = limit_reached(state, busy, *task.definition, policies);
    if (!reason.empty()) reasons.emplace(id, "waits: " + std::move(reason));
  }
  return reasons;
}

WorkflowView make_view(const core::WorkflowState& state, const ViewSources& sources) {
  WorkflowView view{.id = state.id,
                    .name = state.definition->name,
                    .status = core::status(state),
                    .phase = state.phase,
                    .rounds = state.round,
                    .feedback_loops = state.loops,
                    .approvals = open_approvals(state),
                    .usage = usage_of(sources.steps),
                    .branch = state.branch,
                    .commit = state.head,
                    .tree = sources.tree,
                    .repo = sources.repo,
                    .release = sources.release,
                    .warnings = state.warnings,
                    .reason = core::reason(state),
                    .started_at = state.started_at,
                    .updated_at = state.updated_at};
  for (std::string& warning : fallback_warnings(sources.steps)) view.warnings.push_back(std::move(warning));
  for (const TaskId& id : state.order) view.tasks.push_back(task_view(state, state.tasks.at(id), sources));
  if (const auto* failed = std::get_if<core::workflow_state::Failed>(&state.machine)) view.error = failed->error;
  if (const auto* paused = std::get_if<core::workflow_state::Paused>(&state.machine)) view.paused_for = paused->kind;
  view.forked_from = state.origin;
  const bool alive = sources.summary.owner_alive;
  if (view.status == WorkflowStatus::in_progress && !alive) {
    if (core::waits_for_people(state))
      view.status = WorkflowStatus::paused;
    else
      view.owner = "none (interrupted)";
  }
  if (alive) view.owner = sources.summary.owner;
  const Timestamp until = view.status == WorkflowStatus::in_progress && alive ? sources.now : state.updated_at;
  view.duration_ms = (until - state.started_at).count();
  return view;
}

}  // namespace conductorai::facade
