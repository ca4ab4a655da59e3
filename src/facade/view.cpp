#include "facade/view.hpp"

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
  if (const auto* failed = std::get_if<core::task_state::Failed>(&task.machine)) view.reason = to_string(failed->error);
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

}  // namespace

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
