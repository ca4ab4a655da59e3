#include "core/task_machine.hpp"

#include <array>

namespace conductorai::core {
namespace {

using enum TaskForm;
using enum TaskInput;

// "Ready" is no state: a task whose needs are settled starts in the same row, so a chain of seven tasks is eight rows. What its condition,
// an approval or a foreach says instead stands in that row too (skip, ask, expand).
constexpr std::array kEdges{
    TaskEdge{waiting, start, live},
    TaskEdge{waiting, reset, waiting},              // never ran, or blocked
    TaskEdge{waiting, cancel, cancelled},           // a foreach child without a slot
    TaskEdge{awaiting_approval, approve, waiting},  // and starts at once, unless the workflow is paused
    TaskEdge{awaiting_approval, refuse, failed},
    TaskEdge{awaiting_approval, cancel, cancelled},
    TaskEdge{live, ask, awaiting_approval},
    TaskEdge{live, expand, expanded},
    TaskEdge{live, complete, completed},
    TaskEdge{live, TaskInput::retry, live},  // the next attempt
    TaskEdge{live, fail, failed},
    TaskEdge{live, skip, skipped},
    TaskEdge{live, cancel, cancelled},
    TaskEdge{expanded, complete, completed},  // all children settled
    TaskEdge{expanded, fail, failed},
    TaskEdge{expanded, cancel, cancelled},
    TaskEdge{completed, reset, waiting},
    TaskEdge{completed, reopen, expanded},
    TaskEdge{failed, reset, waiting},
    TaskEdge{failed, reopen, expanded},
    TaskEdge{skipped, reset, waiting},
    TaskEdge{cancelled, reset, waiting},
    TaskEdge{cancelled, reopen, expanded},
};

}  // namespace

std::span<const TaskEdge> task_edges() {
  return kEdges;
}

TaskForm form_of(const TaskMachine& machine) {
  return static_cast<TaskForm>(machine.index());
}

std::optional<TaskForm> next_form(const TaskMachine& machine, TaskInput input) {
  for (const TaskEdge& edge : kEdges)
    if (edge.from == form_of(machine) && edge.input == input) return edge.to;
  return std::nullopt;
}

bool settled(const TaskRecord& task) {
  const TaskForm form = form_of(task.machine);
  return task.blocked || form == completed || form == failed || form == skipped || form == cancelled;
}

std::string_view to_string(TaskForm form) {
  constexpr std::array<std::string_view, 8> names{"waiting", "awaiting approval", "live",     "expanded", "completed",
                                                  "failed",  "skipped",           "cancelled"};
  return names.at(static_cast<std::size_t>(form));
}

std::string_view to_string(TaskInput input) {
  constexpr std::array<std::string_view, 12> names{"start", "ask",  "approve", "refuse", "expand", "complete",
                                                   "retry", "fail", "skip",    "reset",  "reopen", "cancel"};
  return names.at(static_cast<std::size_t>(input));
}

bool has_failed_verdict(const TaskRecord& task) {
  const auto* done = std::get_if<task_state::Completed>(&task.machine);
  return done != nullptr && done->verdict == Verdict::failed && !task.definition->continue_on_error;
}

bool has_failed(const TaskRecord& task) {
  const auto* ended = std::get_if<task_state::Failed>(&task.machine);
  return ended != nullptr && !ended->tolerated;
}

int live_attempt(const TaskRecord& task) {
  const auto* running = std::get_if<task_state::Live>(&task.machine);
  return running == nullptr ? 0 : running->attempt;
}

}  // namespace conductorai::core
