#pragma once
// One decision under way: the events so far and the state they led to. Its parts lie in starting, foreach, gates and rounds. Private to
// core.

#include <utility>
#include <vector>

#include "core/decide.hpp"

namespace conductorai::core {

class Decision {
 public:
  Decision(WorkflowState& state, const Context& context) : state_(state), context_(context), next_{state.last_seq + 1, TaskId()} {
    events_.reserve(kUsualEvents);
  }

  /// Records an event and applies it: what follows is decided on the state after it.
  void emit(Event event) {
    evolve(state_, event, context_.now);
    events_.push_back(std::move(event));
  }
  /// The next task that this decision made live and that was not looked at yet; none: empty id.
  TaskId next_started();

  [[nodiscard]] const WorkflowState& state() const { return state_; }
  [[nodiscard]] const TaskRecord& task(const TaskId& id) const { return state_.tasks.at(id); }
  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] AttemptId attempt_id(const TaskRecord& task) const;
  std::vector<Event> take() && { return std::move(events_); }

 private:
  static constexpr std::size_t kUsualEvents = 3;  // the end of a phase: a result, its gate, the end of the workflow

  WorkflowState& state_;
  const Context& context_;
  std::vector<Event> events_;
  std::pair<std::uint64_t, TaskId> next_;
};

/// Everything that follows by itself while the workflow runs: conditions, approvals, foreach, gates, rounds, the end.
void advance(Decision& decision);

/// starting.cpp: what a task that just became live turns into, where it is not simply dispatched.
void begin_task(Decision& decision, const TaskId& id);

/// foreach.cpp: ends a foreach parent whose children are all settled.
void finish_parent(Decision& decision, const TaskId& id);

/// gates.cpp: a phase in which nothing runs or can start. False: an approval is waited for.
bool end_phase(Decision& decision);
/// A verdict that counts and cites nothing; of a foreach also that of a child.
[[nodiscard]] bool judged_without_evidence(const WorkflowState& state, const TaskRecord& task);

/// rounds.cpp: failed verdicts become one feedback and the next round, or the end when the bounds are reached.
void open_next_round(Decision& decision);
/// A retry by hand: at this task, or at all that failed.
void open_retry(Decision& decision, const RetryFailed& retry);

}  // namespace conductorai::core
