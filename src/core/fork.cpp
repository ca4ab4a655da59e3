#include "core/fork.hpp"

#include <optional>

namespace conductorai::core {
namespace {

/// Of a task's run: which task in which round; none for events that tell no result.
struct ResultOf {
  using Run = std::optional<std::pair<TaskId, int>>;
  Run operator()(const TaskCompleted& event) const { return std::pair(event.id.task, event.id.round); }
  Run operator()(const TaskFailed& event) const { return std::pair(event.id.task, event.id.round); }
  Run operator()(const TaskSkipped& event) const { return std::pair(event.task, event.round); }
  Run operator()(const TaskExpanded& event) const { return std::pair(event.task, event.round); }
  Run operator()(const ApprovalRequested& event) const { return event.task ? Run(std::pair(*event.task, event.round)) : std::nullopt; }
  template <class Other>
  Run operator()(const Other&) const {
    return std::nullopt;
  }
};

struct TakenOver {
  using Taken = std::optional<Event>;  // none: it concerned the other workflow alone
  const WorkflowId& fork;
  Timestamp approvals_until;

  Taken operator()(const WorkflowStarted&) const { return std::nullopt; }
  Taken operator()(const WorkflowForked&) const { return std::nullopt; }
  Taken operator()(const WorkflowClaimed&) const { return std::nullopt; }
  Taken operator()(const WorkflowPaused&) const { return std::nullopt; }
  Taken operator()(WorkflowResumed event) const {
    event.overrides.add_budget = {};
    event.overrides.add_day_budget.reset();
    return event.overrides == RunOverrides{} ? Taken() : Taken(std::move(event));
  }
  Taken operator()(TaskCompleted event) const { return without_cost(std::move(event)); }
  Taken operator()(TaskFailed event) const { return without_cost(std::move(event)); }
  Taken operator()(ApprovalRequested event) const {
    if (event.expires_at) event.expires_at = approvals_until;
    return event;
  }
  template <class Other>
  Taken operator()(Other event) const {
    return event;
  }

 private:
  template <class Result>
  Taken without_cost(Result event) const {
    event.id.workflow = fork;
    event.usage = {};
    return event;
  }
};

/// What follows from it is the next event of its row.
bool is_half_a_decision(const Event& event) {
  const auto* gate = std::get_if<GateDecided>(&event);
  return gate != nullptr && (!gate->passed || !gate->next_phase);
}

}  // namespace

Result<std::uint64_t> first_result_of(const std::vector<Event>& events, const TaskId& task) {
  std::uint64_t seq = 0, found = 0;
  int round = 0;
  for (const Event& event : events) {
    ++seq;
    const auto run = std::visit(ResultOf{}, event);
    if (!run || run->first != task || run->second <= round) continue;
    round = run->second;
    found = seq;
  }
  if (found == 0)
    return fail(ErrorCode::not_found, "no task of this name has a result there", task.value, "conductorai status lists the tasks");
  return found;
}

Result<std::vector<Event>> events_before(const std::vector<Event>& events, std::uint64_t seq, const WorkflowId& fork,
                                         Timestamp approvals_until) {
  if (seq == 0 || seq > events.size() + 1)
    return fail(ErrorCode::invalid_argument, "the journal has no event " + std::to_string(seq),
                "it has 1 to " + std::to_string(events.size()), "conductorai events shows them");
  std::vector<Event> kept;
  for (std::size_t i = 0; i + 1 < seq; ++i)
    if (auto taken = std::visit(TakenOver{fork, approvals_until}, events[i])) kept.push_back(std::move(*taken));
  if (!kept.empty() && is_half_a_decision(kept.back())) kept.pop_back();
  return kept;
}

std::string head_after(const std::vector<Event>& kept) {
  std::string head;
  for (const Event& event : kept)
    if (const auto* done = std::get_if<TaskCompleted>(&event); done != nullptr && !done->head.empty()) head = done->head;
  return head;
}

}  // namespace conductorai::core
