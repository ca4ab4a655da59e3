#include "definition/plan.hpp"

#include <algorithm>
#include <map>

#include "base/saturating.hpp"
#include "core/state.hpp"
#include "definition/checks.hpp"

namespace conductorai::definition {

namespace {

constexpr auto times = saturating_product;
constexpr auto plus = saturating_sum;

/// Passes a task may make: every pass of its phase, in the first entry and in each further one that a feedback loop opens.
std::int64_t passes_worst(const WorkflowDefinition& definition, bool later_phases) {
  const std::int64_t entries = later_phases ? std::int64_t{definition.max_loops} + 1 : 1;
  return times(definition.max_rounds, entries);
}

/// Calls on the normal path. A monitor asks only when it finds something wrong, a deployment never.
std::int64_t normal_calls(const TaskDefinition& task, const std::vector<AgentDescription>& agents) {
  return asks_model(task, agents) && task.agent.value != "monitor" ? 1 : 0;
}

/// What a script calls is known when the workflow starts, and costs nothing.
bool works_by_tools(const LlmDefinition& llm, const TaskDefinition& task, const std::vector<AgentDescription>& agents) {
  const AgentDescription* agent = find_agent(agents, task.agent);
  if (agent == nullptr || std::ranges::find(agent->with, "tools", &WithKey::name) == agent->with.end()) return false;
  if (const auto own = task.with.find("tools"); own != task.with.end() && own->second.as_bool() != nullptr) return *own->second.as_bool();
  const bool real = !llm.provider.empty() && !llm.provider.starts_with("mock");
  return llm.tools ? *llm.tools == ToolUse::on : real;
}

/// Answers that one attempt may ask for: each turn of its tools and the last, each with its follow-ups.
std::int64_t questions_of(const LlmDefinition& llm, const TaskDefinition& task, const std::vector<AgentDescription>& agents) {
  if (!asks_model(task, agents)) return 0;
  const std::int64_t turns = works_by_tools(llm, task, agents) ? llm.tool_turns.value_or(LlmDefinition::kToolTurns) + std::int64_t{1} : 1;
  const bool structured = !find_agent(agents, task.agent)->answer_schema.empty();
  return times(turns, structured ? llm.follow_ups.value_or(LlmDefinition::kFollowUps) + std::int64_t{1} : 1);
}

std::int64_t children_of(const TaskDefinition& task) {
  if (!task.foreach || task.foreach->as_array() == nullptr) return 1;
  return static_cast<std::int64_t>(task.foreach->as_array()->size());
}

bool needs_approval(const WorkflowDefinition& definition, const TaskDefinition& task) {
  const auto& approvals = definition.policies.approvals;
  const auto named = [&](const std::string& name) { return name == task.id.value || name == task.agent.value; };
  return task.approval || std::any_of(approvals.begin(), approvals.end(), named);
}

PlannedTask plan_task(const WorkflowDefinition& definition, const TaskDefinition& task, const std::vector<AgentDescription>& agents,
                      std::int64_t passes) {
  PlannedTask planned;
  planned.id = task.id;
  planned.agent = task.agent;
  planned.needs = task.needs;
  planned.condition = task.condition;
  planned.foreach = task.foreach.has_value();
  planned.approval = needs_approval(definition, task);
  planned.max_attempts = task.retry.max_attempts;
  planned.calls = normal_calls(task, agents);
  const std::int64_t tries = times(definition.llm.retries + 1, static_cast<std::int64_t>(definition.llm.fallback.size()) + 1);
  planned.children = children_of(task);
  const std::int64_t a_pass = times(questions_of(definition.llm, task, agents), times(task.retry.max_attempts, planned.children));
  planned.questions_worst = times(a_pass, passes);
  planned.calls_worst = times(planned.questions_worst, tries);
  return planned;
}

/// How many needs within the phase lie before each task, on the longest way.
std::map<TaskId, std::size_t> levels_of(const std::vector<const TaskDefinition*>& tasks) {
  std::map<TaskId, std::size_t> level, open;
  std::map<TaskId, std::vector<TaskId>> dependents;
  std::vector<TaskId> work;
  for (const TaskDefinition* task : tasks) level[task->id] = 0;
  for (const TaskDefinition* task : tasks) {
    for (const TaskId& need : task->needs) {
      if (!level.contains(need)) continue;
      dependents[need].push_back(task->id);
      ++open[task->id];
    }
    if (open[task->id] == 0) work.push_back(task->id);
  }
  for (std::size_t next = 0; next < work.size(); ++next) {
    const TaskId id = work[next];
    for (const TaskId& dependent : dependents[id]) {
      level[dependent] = std::max(level[dependent], level[id] + 1);
      if (--open[dependent] == 0) work.push_back(dependent);
    }
  }
  return level;
}

}  // namespace

void name_phases(WorkflowDefinition& definition, const std::vector<AgentDescription>& agents) {
  std::map<AgentType, Phase> of_agents;
  for (const AgentDescription& agent : agents) of_agents.emplace(agent.type, agent.phase);
  core::name_phases(definition, of_agents);
}

Plan make_plan(const WorkflowDefinition& definition, const std::vector<AgentDescription>& agents) {
  Plan plan{.name = definition.name, .max_rounds = definition.max_rounds, .max_loops = definition.max_loops, .budget = definition.budget};
  const auto phases = core::phases_of(definition);
  const bool later_phases = std::any_of(phases.begin(), phases.end(), [](const auto& entry) { return entry.second != Phase::development; });
  const std::int64_t passes = passes_worst(definition, later_phases);
  for (const Phase phase : {Phase::development, Phase::devops, Phase::monitoring}) {
    std::vector<const TaskDefinition*> tasks;
    for (const TaskDefinition& task : definition.tasks)
      if (phases.at(task.id) == phase) tasks.push_back(&task);
    if (tasks.empty()) continue;
    PlannedPhase planned{.phase = phase};
    const std::string key = phase == Phase::development ? "development" : phase == Phase::devops ? "devops" : "monitoring";
    if (const auto gate = definition.gates.find(key); gate != definition.gates.end()) {
      planned.min_success_rate = gate->second.min_success_rate;
      planned.approval = gate->second.approval;
    }
    const auto levels = levels_of(tasks);
    for (const TaskDefinition* task : tasks) {
      const std::size_t level = levels.at(task->id);
      if (planned.levels.size() <= level) planned.levels.resize(level + 1);
      PlannedTask one = plan_task(definition, *task, agents, passes);
      plan.calls = plus(plan.calls, times(one.calls, one.children));
      plan.calls_worst = plus(plan.calls_worst, one.calls_worst);
      plan.open_ended = plan.open_ended || (task->foreach && task->foreach->as_string() != nullptr);
      planned.levels[level].push_back(std::move(one));
    }
    plan.phases.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace conductorai::definition
