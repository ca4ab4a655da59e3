#pragma once
// The task machine: what may happen to a task, and what it becomes. Private to core; tests read the table.

#include <optional>
#include <span>
#include <string_view>

#include "core/state.hpp"

namespace conductorai::core {

enum class TaskInput {
  start,     // its needs are settled and the workflow runs
  ask,       // approval.requested
  approve,   // approval.resolved approved
  refuse,    // approval.resolved rejected or expired
  expand,    // task.expanded
  complete,  // task.completed
  retry,     // task.failed with a retry
  fail,      // task.failed without
  skip,      // task.skipped
  reset,     // round.opened names it
  reopen,    // round.opened names some of its children
  cancel,    // the workflow ended over it
};

/// In the order of TaskMachine's alternatives.
enum class TaskForm { waiting, awaiting_approval, live, expanded, completed, failed, skipped, cancelled };

struct TaskEdge {
  TaskForm from;
  TaskInput input;
  TaskForm to;
};

[[nodiscard]] std::span<const TaskEdge> task_edges();
[[nodiscard]] TaskForm form_of(const TaskMachine& machine);
/// What the machine becomes; none when the input does not fit.
[[nodiscard]] std::optional<TaskForm> next_form(const TaskMachine& machine, TaskInput input);
[[nodiscard]] bool settled(const TaskRecord& task);
[[nodiscard]] std::string_view to_string(TaskForm form);
[[nodiscard]] std::string_view to_string(TaskInput input);

/// COMPLETED with a failed verdict that continue-on-error does not forgive.
[[nodiscard]] bool has_failed_verdict(const TaskRecord& task);
/// FAILED and not tolerated.
[[nodiscard]] bool has_failed(const TaskRecord& task);

/// The attempt whose result is accepted; 0 when none is live.
[[nodiscard]] int live_attempt(const TaskRecord& task);

}  // namespace conductorai::core
