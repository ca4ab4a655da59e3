#include "tests/sim/state_scan.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "core/readiness.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

bool waits(const TaskRecord& task) {
  return std::holds_alternative<task_state::Waiting>(task.machine);
}
bool runs(const TaskRecord& task) {
  return std::holds_alternative<task_state::Live>(task.machine);
}

int open_needs(const WorkflowState& state, const TaskRecord& task) {
  return static_cast<int>(
      std::ranges::count_if(task.definition->needs, [&](const TaskId& need) { return !settled(state.tasks.at(need)); }));
}

class Scan {
 public:
  explicit Scan(const WorkflowState& state) : state_(state) {}

  std::string run() {
    for (const auto& [id, task] : state_.tasks) {
      scan_live(id, task);
      if (terminal(state_)) expect(has_end_status(task), "pending in an ended workflow: " + id.value);
      if (task.parent) continue;
      scan_needs(id, task);
      if (!task.children.empty()) scan_children(id, task);
      if (!settled(task)) ++unsettled_[task.phase];
    }
    expect(live_ == state_.live, "live");
    expect(live_since_ == state_.live_since, "live_since");
    expect(expanded_ == state_.expanded, "expanded");
    expect(ready_ == state_.ready, "ready");
    expect(!in_progress(state_) || state_.ready.empty(), "ready while in progress");
    expect(unsettled_ == state_.unsettled, "unsettled");
    expect(state_.order.size() == state_.tasks.size(), "order");
    return error_;
  }

 private:
  void expect(bool holds, const std::string& what) {
    if (!holds && error_.empty()) error_ = "index differs from a scan: " + what;
  }
  [[nodiscard]] bool has_end_status(const TaskRecord& task) const {
    const TaskStatus shown = status(state_, task);
    return shown != TaskStatus::pending && shown != TaskStatus::in_progress && shown != TaskStatus::paused;
  }
  void scan_live(const TaskId& id, const TaskRecord& task) {
    if (runs(task) || std::holds_alternative<task_state::AwaitingApproval>(task.machine)) {
      live_.insert(id);
      live_since_.insert({task.since, id});
    }
    if (std::holds_alternative<task_state::Expanded>(task.machine)) expanded_.insert(id);
  }
  void scan_needs(const TaskId& id, const TaskRecord& task) {
    const int open = open_needs(state_, task);
    expect(task.unmet_needs == open, "unmet needs of " + id.value);
    const bool possible = waits(task) && open == 0 && form_of(state_.machine) != WorkflowForm::pending;
    const bool hopeless = possible && !task.runs_after_failure && needs_outcome(state_, task) == NeedOutcome::failed;
    if (task.blocked) expect(hopeless, "blocked " + id.value);
    if (task.phase > state_.phase) return;
    expect(task.blocked == hopeless, "not blocked " + id.value);
    if (possible && !hopeless) ready_.insert(id);
  }
  void scan_children(const TaskId& id, const TaskRecord& parent) {
    int unsettled = 0, running = 0;
    for (std::size_t i = 0; i < parent.children.size(); ++i) {
      const TaskRecord& child = state_.tasks.at(parent.children[i]);
      unsettled += settled(child) ? 0 : 1;
      running += runs(child) ? 1 : 0;
      if (i < parent.next_child) expect(!waits(child), "child before next_child of " + id.value);
    }
    expect(parent.unsettled_children == unsettled, "unsettled children of " + id.value);
    expect(parent.running_children == running, "running children of " + id.value);
    const int max = parent.definition->max_parallel;
    expect(max <= 0 || running <= max, "max-parallel of " + id.value);
    const bool full = parent.next_child == parent.children.size() || (max > 0 && running == max);
    if (in_progress(state_) && std::holds_alternative<task_state::Expanded>(parent.machine)) expect(full, "free slot of " + id.value);
  }

  const WorkflowState& state_;
  std::string error_;
  std::set<TaskId> live_, expanded_, ready_;
  std::set<std::pair<std::uint64_t, TaskId>> live_since_;
  PerPhase<int> unsettled_;
};

bool holds(const std::vector<Effect>& effects, const Effect& effect) {
  return std::ranges::find(effects, effect) != effects.end();
}

}  // namespace

std::string find_index_error(const WorkflowState& state) {
  return Scan(state).run();
}

std::string find_effect_error(const std::vector<Effect>& before, const std::vector<Effect>& newly, const std::vector<Effect>& after) {
  for (const Effect& effect : newly)
    if (!holds(after, effect)) return "an effect is announced that is not owed, of kind " + std::to_string(effect.index());
  for (const Effect& effect : after)
    if (!holds(before, effect) && !holds(newly, effect))
      return "an effect became owed without being announced, of kind " + std::to_string(effect.index());
  return {};
}

std::string tags(const std::vector<Event>& events) {
  std::string out;
  for (const Event& event : events) out += (out.empty() ? "" : " ") + std::string(event_tag(event));
  return out;
}

WorkflowState fold(const WorkflowState& initial, const std::vector<std::string>& rows) {
  WorkflowState state = initial;
  for (const std::string& body : rows) {
    auto row = decode_row(body);
    if (!row) {
      state.parked = to_string(row.error());
      return state;
    }
    for (const Event& event : row->events) evolve(state, event, row->header.at);
  }
  return state;
}

}  // namespace conductorai::core
