// The next round: failed verdicts of a phase become one feedback with a target; the target and all that needs it run again.

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "core/decision.hpp"
#include "core/feedback.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

constexpr std::string_view kCoding = "coding";

/// What a round runs again, before what needs it is added. A foreach is named whole, or by some of its children only.
struct Seeds {
  std::vector<TaskId> targets;  // in the order the failures name them
  std::set<TaskId> whole;
  std::set<TaskId> children;
  std::vector<FeedbackPayload> payloads;
};

const TaskRecord& top_level(const WorkflowState& state, const TaskRecord& task) {
  return task.parent ? state.tasks.at(*task.parent) : task;
}

/// The nearest coding task on the way up, the task itself first: a coding task whose own build failed is the one to go on with it.
std::optional<TaskId> nearest_coding(const WorkflowState& state, const TaskRecord& from) {
  std::deque<TaskId> work{from.definition->id};
  std::set<TaskId> seen;
  for (; !work.empty(); work.pop_front()) {
    if (!seen.insert(work.front()).second) continue;
    const TaskRecord& task = state.tasks.at(work.front());
    if (task.definition->agent.value == kCoding) return task.definition->id;
    work.insert(work.end(), task.definition->needs.begin(), task.definition->needs.end());
  }
  return std::nullopt;
}

/// The task the feedback names, where that is one that has run; else the nearest upstream coding task; else none.
std::optional<TaskId> named_target(const WorkflowState& state, const TaskRecord& failing) {
  const TaskRecord& whole = top_level(state, failing);
  if (failing.feedback && !failing.feedback->target.empty())
    if (auto it = state.tasks.find(failing.feedback->target); it != state.tasks.end() && it->second.phase <= whole.phase)
      return top_level(state, it->second).definition->id;
  return nearest_coding(state, whole);
}

/// The failing task runs again in any case: its verdict has to be found anew.
void add_failing(const WorkflowState& state, const TaskRecord& failing, Seeds& seeds) {
  const TaskId& id = failing.definition->id;
  if (failing.feedback) seeds.payloads.push_back(*failing.feedback);
  (failing.parent ? seeds.children : seeds.whole).insert(id);
  const std::optional<TaskId> target = named_target(state, failing);
  if (target && *target != top_level(state, failing).definition->id) seeds.whole.insert(*target);
  add_once(seeds.targets, target.value_or(id));
}

/// A failed verdict of a foreach is that of its children.
void add_failed_verdict(const WorkflowState& state, const TaskRecord& task, Seeds& seeds) {
  if (task.children.empty()) return add_failing(state, task, seeds);
  for (const TaskId& child : task.children)
    if (has_failed_verdict(state.tasks.at(child))) add_failing(state, state.tasks.at(child), seeds);
}

std::set<TaskId> with_dependents(const WorkflowState& state, const std::set<TaskId>& from) {
  std::set<TaskId> all;
  std::vector<TaskId> work(from.begin(), from.end());
  while (!work.empty()) {
    const TaskId id = work.back();
    work.pop_back();
    if (!all.insert(id).second) continue;
    const std::vector<TaskId>& dependents = state.tasks.at(id).dependents;
    work.insert(work.end(), dependents.begin(), dependents.end());
  }
  return all;
}

/// In definition order. Children are named only where their parent is not run again as a whole.
std::vector<TaskId> reset_list(const WorkflowState& state, const Seeds& seeds) {
  const std::set<TaskId> whole = with_dependents(state, seeds.whole);
  std::set<TaskId> children, parents;
  for (const TaskId& child : seeds.children) {
    const TaskId& parent = *state.tasks.at(child).parent;
    if (whole.contains(parent)) continue;
    children.insert(child);
    parents.insert(parent);
  }
  std::set<TaskId> all = with_dependents(state, parents);
  // What a reopened foreach leads to may itself be a reopened foreach: that one runs as a whole.
  std::set<TaskId> below;
  for (const TaskId& parent : parents)
    for (const TaskId& dependent : state.tasks.at(parent).dependents) below.insert(dependent);
  below = with_dependents(state, below);
  std::erase_if(children, [&](const TaskId& child) { return below.contains(*state.tasks.at(child).parent); });
  all.insert(whole.begin(), whole.end());
  all.insert(children.begin(), children.end());
  std::vector<TaskId> out;
  std::ranges::copy_if(state.order, std::back_inserter(out), [&](const TaskId& id) { return all.contains(id); });
  return out;
}

const TaskId& earliest(const WorkflowState& state, const std::vector<TaskId>& targets) {
  return *std::ranges::min_element(targets, {}, [&](const TaskId& id) { return state.tasks.at(id).phase; });
}

RoundOpened round_of(const WorkflowState& state, const Seeds& seeds) {
  RoundOpened event{.round = state.round + 1, .target = earliest(state, seeds.targets), .reset = reset_list(state, seeds)};
  if (!seeds.payloads.empty()) event.feedback = merge_feedback(seeds.payloads);
  event.feedback.target = event.target;
  for (const TaskId& target : seeds.targets)
    if (target != event.target) add_once(event.feedback.affected_tasks, target);
  return event;
}

/// Why no further round is allowed; empty: it is.
std::string exhausted(const WorkflowState& state, RoundKind kind) {
  const WorkflowDefinition& definition = *state.definition;
  const int loops = state.loops - state.loops_before_retry;
  if (kind == RoundKind::feedback && loops >= definition.max_loops)
    return fmt::format("{} of {} feedback loops are used up", loops, definition.max_loops);
  const int passes = state.passes.at(state.phase);
  if (kind == RoundKind::rework && passes >= definition.max_rounds)
    return fmt::format("{} of {} passes of {} are used up", passes, definition.max_rounds, to_string(state.phase));
  return {};
}

void give_up(Decision& decision, const std::string& bound, const FeedbackPayload& feedback) {
  std::string reason = bound;
  if (!feedback.from.empty()) reason += ", and task " + feedback.from.value + " still has a failed verdict";
  if (!feedback.summary.empty()) reason += ": " + feedback.summary;
  if (decision.state().definition->on_exhausted == OnExhausted::complete_with_warnings)
    decision.emit(WorkflowCompleted{.warnings = {std::move(reason)}});
  else
    decision.emit(WorkflowFailed{.reason = std::move(reason)});
}

void add_failed(const WorkflowState& state, const TaskRecord& task, Seeds& seeds) {
  for (const TaskId& child : task.children) {
    const TaskRecord& record = state.tasks.at(child);
    if (has_failed(record) || std::holds_alternative<task_state::Cancelled>(record.machine) || judged_without_evidence(state, record))
      seeds.children.insert(child);
  }
  if (std::ranges::none_of(task.children, [&](const TaskId& child) { return seeds.children.contains(child); }))
    seeds.whole.insert(task.definition->id);
  add_once(seeds.targets, task.definition->id);
}

/// What kept the phase from passing: tasks that failed, were cancelled by a deadline, or judged without evidence, and failed verdicts.
Seeds seeds_of_retry(const WorkflowState& state) {
  Seeds seeds;
  for (const TaskId& id : state.order) {
    const TaskRecord& task = state.tasks.at(id);
    if (task.parent) continue;
    const bool unfinished = has_failed(task) || std::holds_alternative<task_state::Cancelled>(task.machine);
    if (unfinished || judged_without_evidence(state, task))
      add_failed(state, task, seeds);
    else if (task.phase == state.phase && has_failed_verdict(task))
      add_failed_verdict(state, task, seeds);
  }
  return seeds;
}

}  // namespace

void open_next_round(Decision& decision) {
  const WorkflowState& state = decision.state();
  Seeds seeds;
  for (const TaskId& id : state.by_phase[state.phase])
    if (const TaskRecord& task = state.tasks.at(id); has_failed_verdict(task)) add_failed_verdict(state, task, seeds);
  RoundOpened event = round_of(state, seeds);
  const bool back = state.tasks.at(event.target).phase < state.phase;
  event.kind = back ? RoundKind::feedback : RoundKind::rework;
  if (std::string bound = exhausted(state, event.kind); !bound.empty()) return give_up(decision, bound, event.feedback);
  decision.emit(std::move(event));
}

void open_retry(Decision& decision, const RetryFailed& retry) {
  const WorkflowState& state = decision.state();
  Seeds seeds;
  if (retry.task) {
    const TaskRecord& task = state.tasks.at(*retry.task);
    (task.parent ? seeds.children : seeds.whole).insert(*retry.task);
    add_once(seeds.targets, *retry.task);
  } else {
    seeds = seeds_of_retry(state);
  }
  RoundOpened event{.round = state.round + 1};
  if (!seeds.targets.empty()) event = round_of(state, seeds);
  event.kind = RoundKind::retry;
  if (event.feedback.summary.empty()) event.feedback.summary = "retried" + (retry.by.empty() ? "" : " by " + retry.by);
  decision.emit(std::move(event));
}

}  // namespace conductorai::core
