#include "core/results.hpp"

#include "core/expression.hpp"
#include "core/feedback.hpp"
#include "core/scope.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

Rejection stale(const AttemptId& id, std::string message) {
  return {.stale = true, .error = {.code = ErrorCode::conflict, .message = std::move(message), .where = to_string(id)}};
}

/// The first result of the live attempt wins; all others are late, repeated or of a round that was reset.
std::expected<void, Rejection> check_live(const WorkflowState& state, const AttemptId& id) {
  if (id.workflow != state.id)
    return std::unexpected(Rejection{
        .error = {.code = ErrorCode::invalid_argument, .message = "the result is of another workflow", .where = id.workflow.value}});
  if (!in_progress(state) && !cleaning_up(state) && form_of(state.machine) != WorkflowForm::paused)
    return std::unexpected(stale(id, "the workflow takes no results: it is " + std::string(to_string(status(state)))));
  auto it = state.tasks.find(id.task);
  if (it == state.tasks.end() || it->second.round != id.round || live_attempt(it->second) != id.attempt)
    return std::unexpected(stale(id, "the attempt is not live"));
  return {};
}

/// The outputs a task declares are evaluated now and recorded: they may read what is known only here.
Result<Shared<Object>> declared_outputs(const Decision& decision, const TaskRecord& task, const TaskResult& result) {
  if (task.definition->outputs.empty()) return result.outputs;
  Object outputs = *result.outputs;
  Scope scope = scope_of(decision.state(), task, decision.context().env);
  auto others = scope.outputs;
  scope.outputs = [&](const TaskId& id) { return id == task.definition->id ? &*result.outputs : others(id); };
  for (const auto& [name, text] : task.definition->outputs) {
    auto value = evaluate_template(text, scope);
    if (!value) return fail(value.error());
    outputs.insert_or_assign(name, std::move(*value));
  }
  return outputs;
}

void emit_failed(Decision& decision, const TaskRecord& task, const RecordResult& command, TaskFailed event) {
  const TaskResult& result = *command.result;
  event.id = result.id;
  event.agent = result.agent;
  event.artifacts = result.artifacts;
  event.evidence = result.evidence;
  event.usage = result.usage;
  event.duration_ms = result.duration_ms;
  if (event.action == ErrorAction::retry && result.id.attempt >= task.definition->retry.max_attempts) event.action = ErrorAction::escalate;
  if (event.action == ErrorAction::skip && !task.definition->continue_on_error) event.action = ErrorAction::escalate;
  if (event.action == ErrorAction::escalate && task.definition->continue_on_error) event.action = ErrorAction::skip;
  if (event.action == ErrorAction::retry) event.retry_at = decision.context().now + command.retry_delay;
  decision.emit(std::move(event));
}

/// The next attempt starts from the head that this one did not fit, at once.
void record_conflict(Decision& decision, const TaskRecord& task, RecordResult command) {
  TaskFailed event{.action = ErrorAction::retry};
  std::string paths;
  for (const std::string& path : command.conflicts) {
    paths += (paths.empty() ? "" : ", ") + path;
    event.findings.push_back({.severity = Severity::error,
                              .file = path,
                              .message = "another task changed it meanwhile in a way that does not merge",
                              .source = "merge"});
  }
  event.error = {
      .code = ErrorCode::conflict, .message = "the change does not merge onto the branch", .where = paths, .retry = Retry::backoff};
  command.retry_delay = Milliseconds(0);
  emit_failed(decision, task, command, std::move(event));
}

void record_failed(Decision& decision, const TaskRecord& task, const RecordResult& command) {
  TaskFailed event{.action = command.action};
  event.error = command.result->error.value_or(Error{.code = ErrorCode::internal, .message = "the attempt failed without saying why"});
  emit_failed(decision, task, command, std::move(event));
}

void record_completed(Decision& decision, const TaskRecord& task, const RecordResult& command) {
  const TaskResult& result = *command.result;
  if (result.skipped)
    return decision.emit(
        TaskSkipped{.task = result.id.task, .round = result.id.round, .reason = result.summary, .attempt = result.id.attempt});
  if (!command.conflicts.empty()) return record_conflict(decision, task, command);
  auto outputs = declared_outputs(decision, task, result);
  if (!outputs) {
    Error error = outputs.error();
    error.message = "outputs of task " + task.definition->id.value + ": " + error.message;
    return emit_failed(decision, task, command, {.error = std::move(error), .action = ErrorAction::escalate});
  }
  TaskCompleted event{.id = result.id,
                      .agent = result.agent,
                      .verdict = result.verdict,
                      .summary = result.summary,
                      .outputs = std::move(*outputs),
                      .evidence = result.evidence,
                      .artifacts = result.artifacts,
                      .commit = result.commit,
                      .usage = result.usage,
                      .duration_ms = result.duration_ms};
  if (!result.commit.empty()) event.head = command.merged_head;
  if (result.verdict == Verdict::failed) event.feedback = feedback_of(result);
  decision.emit(std::move(event));
}

/// The attempt stays live; nothing is recorded about it but that the workflow waits.
std::expected<void, Rejection> suspend(Decision& decision, const TaskResult& result) {
  if (!in_progress(decision.state())) return std::unexpected(stale(result.id, "the workflow is paused already"));
  const Error error = result.error.value_or(Error{.code = ErrorCode::budget_exhausted, .message = "an attempt was suspended"});
  const bool storage =
      error.code == ErrorCode::resource_exhausted || error.code == ErrorCode::unavailable || error.code == ErrorCode::data_corrupted;
  decision.emit(WorkflowPaused{storage ? PauseKind::storage : PauseKind::budget, "task " + result.id.task.value + ": " + to_string(error)});
  return {};
}

}  // namespace

std::expected<void, Rejection> record_result(Decision& decision, const RecordResult& command) {
  const TaskResult& result = *command.result;
  if (auto live = check_live(decision.state(), result.id); !live) return live;
  // Only a stopping workflow cancels attempts for good, and that one takes no results: this one is taken up again by the next owner.
  if (result.status == ResultStatus::cancelled) return std::unexpected(stale(result.id, "the attempt was interrupted and stays live"));
  // A clean-up cannot wait for a budget or a disk: what is suspended there has failed.
  const bool suspended = result.status == ResultStatus::suspended;
  if (suspended && !cleaning_up(decision.state())) return suspend(decision, result);
  const TaskRecord& task = decision.task(result.id.task);
  if (result.status == ResultStatus::failed || suspended)
    record_failed(decision, task, command);
  else
    record_completed(decision, task, command);
  if (task.parent) {
    const TaskId parent = *task.parent;
    const TaskRecord& record = decision.task(parent);
    if (record.unsettled_children == 0) finish_parent(decision, parent);
  }
  advance(decision);
  return {};
}

}  // namespace conductorai::core
