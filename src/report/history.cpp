#include "report/history.hpp"

#include <algorithm>

#include "core/json_codec.hpp"

namespace conductorai::report {

namespace {

/// A payload of its struct; what does not read as one is left out of the story, the journal's own table still shows it.
template <class T>
std::optional<T> read(const EventRecord& record) {
  auto json = core::read_json<T>(record.payload);
  if (!json) return std::nullopt;
  return std::move(*json);
}

Look look_of(Verdict verdict) {
  return verdict == Verdict::passed ? Look::passed : verdict == Verdict::failed ? Look::failed : Look::done;
}

/// What TaskCompleted and TaskFailed have in common.
template <class Ended>
Attempt ended(Ended& event, Timestamp at) {
  return {.task = event.id.task,
          .round = event.id.round,
          .number = event.id.attempt,
          .agent = event.agent,
          .start = at - Milliseconds(std::max<std::int64_t>(event.duration_ms, 0)),
          .end = at,
          .evidence = std::move(event.evidence),
          .artifacts = std::move(event.artifacts),
          .usage = event.usage};
}

Attempt completed(TaskCompleted event, Timestamp at) {
  Attempt attempt = ended(event, at);
  attempt.look = look_of(event.verdict);
  attempt.summary = std::move(event.summary);
  attempt.outputs = std::move(event.outputs);
  attempt.commit = std::move(event.commit);
  attempt.feedback = std::move(event.feedback);
  return attempt;
}

Attempt failed(TaskFailed event, Timestamp at) {
  Attempt attempt = ended(event, at);
  attempt.look = Look::error;
  attempt.summary = event.error.message;
  attempt.action = event.action == ErrorAction::retry      ? "tried again"
                   : event.action == ErrorAction::skip     ? "skipped"
                   : event.action == ErrorAction::escalate ? "given up"
                                                           : "kept as a dead letter";
  attempt.error = std::move(event.error);
  attempt.findings = std::move(event.findings);
  return attempt;
}

Round opened(RoundOpened event, Timestamp at) {
  const char* kind = event.kind == RoundKind::rework ? "rework" : event.kind == RoundKind::feedback ? "feedback" : "retry";
  return {.number = event.round,
          .kind = kind,
          .at = at,
          .target = event.target,
          .from = event.feedback.from,
          .reset = std::move(event.reset),
          .feedback = std::move(event.feedback)};
}

void take(History& history, const EventRecord& record) {
  if (record.event == "task.completed") {
    if (auto event = read<TaskCompleted>(record)) history.attempts.push_back(completed(std::move(*event), record.at));
  } else if (record.event == "task.failed") {
    if (auto event = read<TaskFailed>(record)) history.attempts.push_back(failed(std::move(*event), record.at));
  } else if (record.event == "round.opened") {
    if (auto event = read<RoundOpened>(record)) history.rounds.push_back(opened(std::move(*event), record.at));
  } else if (record.event == "gate.decided") {
    if (auto event = read<GateDecided>(record)) history.gates.push_back({record.at, std::move(*event)});
  }
}

/// Nothing says when a live attempt began: at the latest when the last of what it needed had ended.
void add_running(History& history, const Material& material) {
  std::map<TaskId, Timestamp> ended;
  for (const Attempt& attempt : history.attempts) ended[attempt.task] = std::max(ended[attempt.task], attempt.end);
  for (const TaskView& task : material.view.tasks) {
    if (task.status != TaskStatus::in_progress) continue;
    Timestamp start = history.rounds.back().at;
    for (const TaskId& need : task.needs) start = std::max(start, ended[need]);
    start = std::max(start, ended[task.id]);
    history.attempts.push_back({.task = task.id,
                                .round = task.round,
                                .number = std::max(task.attempts, 1),
                                .agent = task.agent_id,
                                .start = start,
                                .end = std::max(start, history.end),
                                .look = Look::running,
                                .summary = task.reason});
  }
}

void measure_repair(History& history, const Material& material) {
  std::map<TaskId, bool> monitors;
  for (const TaskView& task : material.view.tasks) monitors[task.id] = task.phase == Phase::monitoring;
  std::optional<Timestamp> broken;
  for (const Attempt& attempt : history.attempts) {
    if (!monitors[attempt.task]) continue;
    if (attempt.look == Look::failed && !broken) broken = attempt.end;
    if (attempt.look != Look::passed || !broken) continue;
    history.repair_ms = history.repair_ms.value_or(0) + (attempt.end - *broken).count();
    broken.reset();
  }
  history.repairing = broken.has_value();
}

}  // namespace

History make_history(const Material& material) {
  History history{.begin = material.view.started_at, .end = material.view.started_at + Milliseconds(material.view.duration_ms)};
  history.rounds.push_back({.number = 1, .at = history.begin});
  for (const EventRecord& record : material.events) take(history, record);
  for (const Attempt& attempt : history.attempts) {
    history.begin = std::min(history.begin, attempt.start);
    history.end = std::max(history.end, attempt.end);
  }
  history.rounds.front().at = history.begin;
  add_running(history, material);
  for (std::size_t i = 0; i < history.attempts.size(); ++i) history.of_task[history.attempts[i].task].push_back(i);
  measure_repair(history, material);
  return history;
}

Look look_of(const TaskView& task) {
  switch (task.status) {
    case TaskStatus::completed: return look_of(task.verdict);
    case TaskStatus::failed: return Look::error;
    case TaskStatus::in_progress: return Look::running;
    case TaskStatus::skipped:
    case TaskStatus::cancelled: return Look::skipped;
    default: return Look::waiting;
  }
}

std::string_view word(Look look) {
  switch (look) {
    case Look::passed: return "passed";
    case Look::failed: return "failed";
    case Look::error: return "error";
    case Look::running: return "running";
    case Look::waiting: return "waiting";
    case Look::skipped: return "skipped";
    case Look::done: return "done";
  }
  return "done";
}

}  // namespace conductorai::report
