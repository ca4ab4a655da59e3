// The end of a foreach: its parent gets an event of its own in the row of the last child's result, so watchers and dependents see one task.

#include "core/decision.hpp"
#include "core/feedback.hpp"
#include "core/task_machine.hpp"

namespace conductorai::core {
namespace {

/// `items` has an entry a child; null where it failed and was tolerated.
TaskCompleted combine(const Decision& decision, const TaskRecord& parent) {
  TaskCompleted event{.id = decision.attempt_id(parent)};
  Array items;
  std::vector<FeedbackPayload> feedback;
  std::size_t failed = 0;
  for (const TaskId& id : parent.children) {
    const TaskRecord& child = decision.task(id);
    const auto* done = std::get_if<task_state::Completed>(&child.machine);
    items.push_back(done == nullptr ? Value() : Value(*child.outputs));
    if (done == nullptr || done->verdict == Verdict::none) continue;
    event.evidence.insert(event.evidence.end(), child.evidence.begin(), child.evidence.end());
    if (event.verdict != Verdict::failed) event.verdict = done->verdict;
    if (done->verdict != Verdict::failed) continue;
    ++failed;
    if (child.feedback) feedback.push_back(*child.feedback);
  }
  event.summary = std::to_string(parent.children.size()) + " items";
  if (failed > 0) event.summary += ", " + std::to_string(failed) + " with a failed verdict";
  event.outputs = Object{{"items", std::move(items)}};
  if (!feedback.empty()) event.feedback = merge_feedback(feedback);
  return event;
}

const TaskRecord* first_failed_child(const Decision& decision, const TaskRecord& parent) {
  for (const TaskId& id : parent.children)
    if (has_failed(decision.task(id))) return &decision.task(id);
  return nullptr;
}

}  // namespace

void finish_parent(Decision& decision, const TaskId& id) {
  const TaskRecord& parent = decision.task(id);
  const TaskRecord* failed = first_failed_child(decision, parent);
  if (failed == nullptr) return decision.emit(combine(decision, parent));
  Error error = *std::get<task_state::Failed>(failed->machine).error;
  error.message = "task " + failed->definition->id.value + " failed: " + error.message;
  decision.emit(TaskFailed{.id = decision.attempt_id(parent), .error = std::move(error), .action = ErrorAction::escalate});
}

}  // namespace conductorai::core
