#include <algorithm>

#include "facade/forecast.hpp"

namespace conductorai::facade {

namespace {

constexpr std::size_t kReasonsMax = 20;

/// Every rule's strictest answer, with the reasons of all that are not allow.
class Answers {
 public:
  explicit Answers(const orchestration::PolicyEngine& engine) : engine_(engine) {}

  void ask(const PolicyContext& about) {
    for (const auto& [rule, decision] : engine_.check_each(about)) {
      auto known = std::ranges::find(answers_, rule, &PolicyForecast::policy);
      if (known == answers_.end()) known = answers_.insert(answers_.end(), {.policy = std::string(rule), .reasons = {}});
      known->verdict = std::max(known->verdict, decision.verdict);
      if (decision.verdict != PolicyVerdict::allow) note(known->reasons, decision.reasons);
    }
  }

  std::vector<PolicyForecast> take() { return std::move(answers_); }

 private:
  static void note(std::vector<std::string>& reasons, const std::vector<std::string>& more) {
    for (const std::string& reason : more)
      if (reasons.size() < kReasonsMax && std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(reason);
  }

  const orchestration::PolicyEngine& engine_;
  std::vector<PolicyForecast> answers_;
};

struct Pool {
  int agents = 0, capacity = 0;
};

/// The tasks of a level may start together: each is asked for as if those before it ran already.
class Starts {
 public:
  Starts(const House& house, const ForecastOf& of, Answers& answers)
      : most_(house.options.max_concurrent_tasks), definition_(of.definition), answers_(answers) {
    for (const AgentState& agent : house.coordinator->agent_states()) {
      Pool& pool = pools_[agent.type];
      ++pool.agents;
      pool.capacity += agent.capacity;
    }
  }

  void ask(const std::vector<definition::PlannedTask>& level) {
    running_ = 0;
    by_type_.clear();
    for (const definition::PlannedTask& planned : level) {
      const auto task = std::ranges::find(definition_.tasks, planned.id, &TaskDefinition::id);
      const std::int64_t at_once = task->max_parallel > 0 ? std::min<std::int64_t>(task->max_parallel, planned.children) : planned.children;
      // The limits look at numbers that only grow: the first child and the last say it all.
      if (at_once > 0) start(*task, 0);
      if (at_once > 1) start(*task, at_once - 1);
      running_ += at_once;
      by_type_[task->agent] += at_once;
    }
  }

 private:
  void start(const TaskDefinition& task, std::int64_t before) {
    const PolicyDefinition& limits = definition_.policies;
    const Pool pool = pools_[task.agent];
    const std::int64_t type = by_type_[task.agent] + before;
    answers_.ask(StartTask{.workflow = {},
                           .task = &task,
                           .definition = &definition_,
                           .running_global = up_to(running_ + before, most_),
                           .running_workflow = up_to(running_ + before, limits.max_concurrent_tasks),
                           .running_type = up_to(type, limits.max_concurrent_per_agent),
                           .max_global = most_,
                           .agents_of_type = pool.agents,
                           .agents_available = type < pool.capacity ? pool.agents : 0,
                           .approved = false});
  }
  /// No more run than the limit lets; a limit of 0 is none.
  static int up_to(std::int64_t running, int limit) {
    return static_cast<int>(std::min<std::int64_t>(running, limit > 0 ? limit : 1'000'000));
  }

  int most_;
  const WorkflowDefinition& definition_;
  Answers& answers_;
  std::map<AgentType, Pool> pools_;
  std::map<AgentType, std::int64_t> by_type_;
  std::int64_t running_ = 0;
};

bool is_known(const PolicyContext& about) {
  constexpr std::string_view kExpression = "${{";
  if (const auto* run = std::get_if<RunCommand>(&about)) return run->command_line.find(kExpression) == std::string::npos;
  if (const auto* deploy = std::get_if<Deploy>(&about)) return deploy->driver.find(kExpression) == std::string::npos;
  return true;
}

void ask_acts(Answers& answers, const ForecastOf& of) {
  for (const TaskDefinition& task : of.definition.tasks) {
    const auto agent = std::ranges::find(of.agents, task.agent, &AgentDescription::type);
    if (agent == of.agents.end() || !agent->acts) continue;
    for (const PolicyContext& about : agent->acts(of.definition, task.with))
      if (is_known(about)) answers.ask(about);
  }
}

int tasks_in(const definition::PlannedPhase& phase) {
  std::size_t tasks = 0;
  for (const auto& level : phase.levels) tasks += level.size();
  return static_cast<int>(tasks);
}

}  // namespace

std::vector<PolicyForecast> ask_rules(const House& house, const ForecastOf& of) {
  Answers answers(*house.policies);
  Starts starts(house, of, answers);
  for (const definition::PlannedPhase& phase : of.plan.phases) {
    for (const auto& level : phase.levels) starts.ask(level);
    answers.ask(PassGate{.workflow = {}, .phase = phase.phase, .definition = &of.definition, .passed = tasks_in(phase)});
  }
  ask_acts(answers, of);
  return answers.take();
}

}  // namespace conductorai::facade
