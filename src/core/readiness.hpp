#pragma once
// Who may start: need counters, ready set, foreach slots. Kept by evolve, in O(change). Private to core.

#include "core/state.hpp"
#include "core/task_machine.hpp"

namespace conductorai::core {

enum class NeedOutcome { met, skipped, failed };
/// How a settled need looks to a task. What lies in an earlier phase is met by that phase's passed gate, unless it was skipped.
[[nodiscard]] NeedOutcome need_outcome(const TaskRecord& task, const TaskRecord& need);
/// The strictest of all its needs. REQUIRES: they are settled.
[[nodiscard]] NeedOutcome needs_outcome(const WorkflowState& state, const TaskRecord& task);

/// Puts the machine into `next` and keeps the indexes right: counts of needs and phases, the live sets, slots of its foreach, and what may
/// start now. REQUIRES: the transition is an edge.
void change(WorkflowState& state, TaskRecord& task, TaskMachine next);

/// Starts what a pause held back, as far as phases and slots allow. REQUIRES: the workflow runs.
void start_ready(WorkflowState& state);
/// Starts the next task of a clean-up, if nothing runs: the first of which no other one of it is needed.
void start_next_cleanup(WorkflowState& state);
/// Looks again at every task of a phase that was just entered.
void enter_phase(WorkflowState& state, Phase phase);

/// Makes the children of an expanded task and starts those that have a slot.
void add_children(WorkflowState& state, TaskRecord& parent, const std::vector<Value>& items);
void remove_children(WorkflowState& state, TaskRecord& parent);

/// A task's run begins afresh, as Waiting or, for a reopened foreach, Expanded. First all that are reset, then `recount_needs` of what
/// needs them, then look at each by `reconsider`.
void forget_run(WorkflowState& state, TaskRecord& task, TaskMachine next);
void recount_needs(const WorkflowState& state, TaskRecord& task);
void reconsider(WorkflowState& state, const TaskId& task);

}  // namespace conductorai::core
