#include "tests/sim/story.hpp"

#include "core/codec.hpp"
#include "core/task_machine.hpp"
#include "tests/sim/state_scan.hpp"

namespace conductorai::core {
namespace {

std::shared_ptr<const WorkflowDefinition> shared(WorkflowDefinition definition) {
  return std::make_shared<const WorkflowDefinition>(std::move(definition));
}

WorkflowDefinition of(std::vector<TaskDefinition> tasks) {
  WorkflowDefinition definition;
  definition.name = "story";
  definition.tasks = std::move(tasks);
  return definition;
}

}  // namespace

TaskDefinition task(const std::string& id, std::vector<std::string> needs, const std::string& agent) {
  TaskDefinition definition{.id = TaskId(id), .agent = AgentType(agent)};
  for (std::string& need : needs) definition.needs.emplace_back(std::move(need));
  return definition;
}

Evidence exit_code(int code) {
  return {.kind = "exit_code",
          .summary = "exit code " + std::to_string(code),
          .value = code,
          .artifact = Digest("sha256:" + std::to_string(code))};
}

Story::Story(std::vector<TaskDefinition> tasks) : Story(of(std::move(tasks))) {}

Story::Story(WorkflowDefinition definition) : initial(initial_state(WorkflowId("wf-1"), shared(std::move(definition)))), state(initial) {
  context.now = Timestamp(Milliseconds(1'000'000));
}

std::string Story::when(const Command& command) {
  const WorkflowState before = state;
  const auto copied = decide(state, command, context);
  auto decided = decide_and_evolve(state, command, context);
  if (!decided) {
    if (!(state == before)) broken = "a rejected command changed the state";
    return (decided.error().stale ? "stale: " : "rejected: ") + to_string(decided.error().error);
  }
  events = std::move(*decided);
  if (!copied || *copied != events) broken = "decide and decide_and_evolve differ";
  rows.push_back(encode_row({.workflow = state.id, .first_seq = before.last_seq + 1, .at = context.now, .epoch = 1}, events));
  if (std::string error = find_index_error(state); !error.empty()) broken = error;
  if (std::string error = find_effect_error(outstanding(before), newly_outstanding(state, events), outstanding(state)); !error.empty())
    broken = error;
  if (!(refolded() == state)) broken = "the journal folds to another state";
  if (state.last_seq != before.last_seq + events.size()) broken = "the sequence has a gap";
  if (!state.parked.empty()) broken = state.parked;
  return tags(events);
}

WorkflowState Story::refolded() const {
  return fold(initial, rows);
}

std::string Story::start() {
  return when(StartWorkflow{{.name = "story", .branch = "b", .base_commit = "base", .owner = "1@here"}});
}

TaskResult Story::result(const std::string& id, Verdict verdict) const {
  TaskResult made{.agent = AgentId("agent-01"), .verdict = verdict};
  made.id = {state.id, TaskId(id), 1, 1};
  if (auto it = state.tasks.find(TaskId(id)); it != state.tasks.end()) {
    made.id.round = it->second.round;
    made.id.attempt = std::max(1, live_attempt(it->second));
  }
  if (verdict != Verdict::none) made.evidence.push_back(exit_code(verdict == Verdict::passed ? 0 : 1));
  return made;
}

std::string Story::completes(const std::string& id, Verdict verdict, Object outputs) {
  TaskResult made = result(id, verdict);
  made.outputs = std::move(outputs);
  return when(RecordResult{.result = std::move(made)});
}

std::string Story::fails(const std::string& id, ErrorAction action, Milliseconds delay) {
  TaskResult made = result(id);
  made.status = ResultStatus::failed;
  made.error = Error{.code = ErrorCode::internal, .message = "it broke"};
  return when(RecordResult{.result = std::move(made), .action = action, .retry_delay = delay});
}

std::string Story::dispatched() const {
  std::string out;
  for (const Effect& effect : outstanding(state))
    if (const auto* dispatch = std::get_if<DispatchTask>(&effect)) out += (out.empty() ? "" : " ") + to_string(dispatch->id);
  return out;
}

std::string Story::shown(const std::string& id) const {
  return std::string(to_string(status(state, record(id))));
}

}  // namespace conductorai::core
