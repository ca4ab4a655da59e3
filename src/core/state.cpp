#include "core/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "core/expression.hpp"
#include "core/json.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

struct AgentPhase {
  std::string_view type;
  Phase phase;
};
/// Of the built-in agents that have one; `command` and agents of others follow their needs.
constexpr std::array kAgentPhases{AgentPhase{"coding", Phase::development},    AgentPhase{"review", Phase::development},
                                  AgentPhase{"test_data", Phase::development}, AgentPhase{"test", Phase::development},
                                  AgentPhase{"devops", Phase::devops},         AgentPhase{"deploying", Phase::devops},
                                  AgentPhase{"monitor", Phase::monitoring}};

using AgentPhases = std::map<AgentType, Phase>;

Phase default_phase(const TaskDefinition& task, Phase latest_need, const AgentPhases& others) {
  for (const AgentPhase& known : kAgentPhases)
    if (known.type == task.agent.value) return std::max(known.phase, latest_need);
  const auto other = others.find(task.agent);
  return other == others.end() ? latest_need : std::max(other->second, latest_need);
}

bool asks_status(const std::string& condition) {
  if (condition.empty()) return false;
  auto expression = parse_expression(condition);
  return expression && uses_status(*expression);
}

struct StatusOf {
  WorkflowStatus operator()(const workflow_state::Pending&) const { return WorkflowStatus::pending; }
  WorkflowStatus operator()(const workflow_state::InProgress&) const { return WorkflowStatus::in_progress; }
  WorkflowStatus operator()(const workflow_state::Paused&) const { return WorkflowStatus::paused; }
  WorkflowStatus operator()(const workflow_state::Cancelling&) const { return WorkflowStatus::in_progress; }
  WorkflowStatus operator()(const workflow_state::CleaningUp&) const { return WorkflowStatus::in_progress; }
  WorkflowStatus operator()(const workflow_state::Completed&) const { return WorkflowStatus::completed; }
  WorkflowStatus operator()(const workflow_state::Failed&) const { return WorkflowStatus::failed; }
  WorkflowStatus operator()(const workflow_state::Cancelled&) const { return WorkflowStatus::cancelled; }
};

/// What a workflow in progress waits for when nothing of it runs: approvals, or the end of a back-off.
std::string waiting_reason(const WorkflowState& state) {
  std::string text;
  for (const TaskId& id : state.live) {
    const TaskRecord& task = state.tasks.at(id);
    const auto* live = std::get_if<task_state::Live>(&task.machine);
    if (live != nullptr && !live->not_before) return {};
    if (!text.empty()) continue;
    if (live == nullptr)
      text = "waiting for approval of task " + id.value;
    else
      text = fmt::format("waiting until {} to try task {} again", to_iso8601(*live->not_before), id.value);
  }
  const Approval* gate = find_approval(state, gate_approval_id(state, state.phase));
  if (text.empty() && gate != nullptr && is_open(*gate)) text = "waiting for approval of " + subject_of(gate->request);
  return text;
}

auto members(const WorkflowState& s) {
  return std::tie(s.id, s.machine, s.last_seq, s.started_at, s.updated_at, s.phase, s.gate_passed, s.passes, s.round, s.loops,
                  s.loops_before_retry, s.claims_without_progress, s.branch, s.base_commit, s.head, s.owner, s.origin, s.overrides,
                  s.rounds, s.approvals, s.warnings, s.parked, s.deadline_from, s.usage, s.order, s.tasks, s.by_phase, s.unsettled, s.ready,
                  s.expanded, s.live, s.live_since);
}

}  // namespace

bool operator==(const WorkflowState& a, const WorkflowState& b) {
  if ((a.definition == nullptr) != (b.definition == nullptr)) return false;
  if (a.definition != b.definition && *a.definition != *b.definition) return false;
  return members(a) == members(b);
}

namespace {

/// Kahn's order.
PhaseByPlace phases_with(const WorkflowDefinition& definition, const AgentPhases& others) {
  struct Node {
    Phase latest = Phase::development;
    int open = 0;
    std::vector<std::size_t> dependents;
  };
  const std::vector<TaskDefinition>& tasks = definition.tasks;
  const TaskPlaces places(definition);
  std::vector<Node> nodes(tasks.size());
  std::vector<std::size_t> work;
  work.reserve(tasks.size());
  for (std::size_t place = 0; place < tasks.size(); ++place) {
    for (const TaskId& need : tasks[place].needs)
      if (const auto needed = places.find(need)) {
        ++nodes[place].open;
        nodes[*needed].dependents.push_back(place);
      }
    if (nodes[place].open == 0) work.push_back(place);
  }
  PhaseByPlace phases(tasks.size());
  for (std::size_t next = 0; next < work.size(); ++next) {
    const TaskDefinition& task = tasks[work[next]];
    const Phase phase = task.phase.value_or(default_phase(task, nodes[work[next]].latest, others));
    phases[work[next]] = phase;
    for (const std::size_t dependent : nodes[work[next]].dependents) {
      nodes[dependent].latest = std::max(nodes[dependent].latest, phase);
      if (--nodes[dependent].open == 0) work.push_back(dependent);
    }
  }
  return phases;
}

}  // namespace

TaskPlaces::TaskPlaces(const WorkflowDefinition& definition) {
  by_id_.reserve(definition.tasks.size());
  for (std::size_t place = 0; place < definition.tasks.size(); ++place) by_id_.emplace_back(definition.tasks[place].id.value, place);
  std::ranges::sort(by_id_);
}

std::optional<std::size_t> TaskPlaces::find(const TaskId& id) const {
  const auto found = std::ranges::lower_bound(by_id_, std::string_view(id.value), {}, &std::pair<std::string_view, std::size_t>::first);
  if (found == by_id_.end() || found->first != id.value) return std::nullopt;
  return found->second;
}

const TaskId* TaskPlaces::repeated(const WorkflowDefinition& definition) const {
  const auto twice = std::ranges::adjacent_find(by_id_, {}, &std::pair<std::string_view, std::size_t>::first);
  return twice == by_id_.end() ? nullptr : &definition.tasks[std::next(twice)->second].id;
}

PhaseByPlace phases_by_place(const WorkflowDefinition& definition) {
  return phases_with(definition, {});
}

std::map<TaskId, Phase> phases_of(const WorkflowDefinition& definition) {
  std::map<TaskId, Phase> phases;
  const PhaseByPlace by_place = phases_by_place(definition);
  for (std::size_t place = 0; place < by_place.size(); ++place)
    if (by_place[place]) phases.insert_or_assign(definition.tasks[place].id, *by_place[place]);
  return phases;
}

void name_phases(WorkflowDefinition& definition, const AgentPhases& of_agents) {
  const PhaseByPlace known = phases_by_place(definition), phases = phases_with(definition, of_agents);
  for (std::size_t place = 0; place < known.size(); ++place) {
    TaskDefinition& task = definition.tasks[place];
    const auto agent = of_agents.find(task.agent);
    if (!task.phase && agent != of_agents.end() && known[place] && *known[place] < agent->second) task.phase = phases[place];
  }
}

Phase phase_of(const WorkflowDefinition& definition, const TaskDefinition& task) {
  if (task.phase) return *task.phase;
  const auto place = TaskPlaces(definition).find(task.id);
  const auto phase = place ? phases_by_place(definition)[*place] : std::nullopt;
  return phase.value_or(default_phase(task, Phase::development, {}));
}

WorkflowState initial_state(WorkflowId id, std::shared_ptr<const WorkflowDefinition> definition) {
  WorkflowState state{.id = std::move(id), .definition = std::move(definition)};
  const PhaseByPlace phases = phases_by_place(*state.definition);
  state.tasks.reserve(phases.size());
  state.order.reserve(phases.size());
  for (std::size_t place = 0; place < phases.size(); ++place) {
    const TaskDefinition& task = state.definition->tasks[place];
    TaskRecord record{.definition = Shared<TaskDefinition>(std::shared_ptr<const TaskDefinition>(state.definition, &task)),
                      .phase = phases[place].value_or(Phase::development)};
    record.runs_after_failure = asks_status(task.condition);
    record.unmet_needs = static_cast<int>(task.needs.size());
    const Phase of = record.phase;
    if (!state.tasks.try_emplace(task.id, std::move(record)).second) continue;
    state.order.push_back(task.id);
    state.by_phase[of].push_back(task.id);
    ++state.unsettled[of];
  }
  for (const TaskId& dependent : state.order)
    for (const TaskId& need : state.tasks.at(dependent).definition->needs)
      if (auto it = state.tasks.find(need); it != state.tasks.end()) it->second.dependents.push_back(dependent);
  return state;
}

WorkflowStatus status(const WorkflowState& state) {
  return std::visit(StatusOf{}, state.machine);
}

TaskStatus status(const WorkflowState& state, const TaskRecord& task) {
  const bool paused = std::holds_alternative<workflow_state::Paused>(state.machine);
  switch (form_of(task.machine)) {
    // One word for all that can never run: what the end of the workflow left behind waits for good too.
    case TaskForm::waiting: return task.blocked || terminal(state) ? TaskStatus::blocked : TaskStatus::pending;
    case TaskForm::awaiting_approval: return TaskStatus::paused;
    case TaskForm::live:
    case TaskForm::expanded: return paused ? TaskStatus::paused : TaskStatus::in_progress;
    case TaskForm::completed: return TaskStatus::completed;
    case TaskForm::failed: return TaskStatus::failed;
    case TaskForm::skipped: return TaskStatus::skipped;
    case TaskForm::cancelled: return TaskStatus::cancelled;
  }
  return TaskStatus::pending;
}

bool terminal(const WorkflowState& state) {
  const WorkflowForm form = form_of(state.machine);
  return form == WorkflowForm::completed || form == WorkflowForm::failed || form == WorkflowForm::cancelled;
}

bool waits_for_people(const WorkflowState& state) {
  if (!in_progress(state)) return false;
  const bool asks = std::ranges::any_of(state.approvals, [](const auto& entry) { return is_open(entry.second); });
  return asks && std::ranges::none_of(state.live, [&](const TaskId& id) { return live_attempt(state.tasks.at(id)) > 0; });
}

bool cleaning_up(const WorkflowState& state) {
  return std::holds_alternative<workflow_state::CleaningUp>(state.machine);
}

std::string reason(const WorkflowState& state) {
  if (const auto* paused = std::get_if<workflow_state::Paused>(&state.machine)) return paused->reason;
  if (const auto* failed = std::get_if<workflow_state::Failed>(&state.machine)) return failed->reason;
  if (const auto* cancelled = std::get_if<workflow_state::Cancelled>(&state.machine)) return cancelled->reason;
  if (const auto* stopping = std::get_if<workflow_state::Cancelling>(&state.machine)) return "stopping live attempts: " + stopping->reason;
  if (const auto* cleaning = std::get_if<workflow_state::CleaningUp>(&state.machine)) return "cleaning up: " + cleaning->reason;
  if (in_progress(state)) return waiting_reason(state);
  return {};
}

std::optional<Timestamp> deadline(const WorkflowState& state) {
  if (!state.definition->timeout) return std::nullopt;
  return state.deadline_from + *state.definition->timeout;
}

}  // namespace conductorai::core
