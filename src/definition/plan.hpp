#pragma once
// What a run would do: tasks in the order they may start, and what they may cost in model calls at worst.

#include <cstdint>
#include <string>
#include <vector>

#include "conductorai/base_agent.hpp"
#include "conductorai/definition.hpp"
#include "conductorai/forecast.hpp"

namespace conductorai::definition {

struct PlannedTask {
  TaskId id;
  AgentType agent;
  std::vector<TaskId> needs;
  std::string condition;  // empty: none
  bool foreach = false;   // its number of children is known at run time only
  bool approval = false;  // by its own key or by policies.approvals
  int max_attempts = 1;
  std::int64_t children = 1;         // of a foreach over a list that stands in the file
  std::int64_t calls = 0;            // on the normal path; of one child with foreach
  std::int64_t questions_worst = 0;  // in all rounds, with all attempts, turns of tools and follow-ups
  std::int64_t calls_worst = 0;      // with every retry of every model
};

struct PlannedPhase {
  Phase phase = Phase::development;
  std::vector<std::vector<PlannedTask>> levels;  // tasks of one level need none of each other
  double min_success_rate = 1.0;
  bool approval = false;
};

struct Plan {
  std::string name;
  std::vector<PlannedPhase> phases;  // those that have tasks, in order
  int max_rounds = 1, max_loops = 0;
  std::int64_t calls = 0;        // normal path: one round, no retry
  std::int64_t calls_worst = 0;  // not bounded by the budget
  bool open_ended = false;       // a foreach over what a task gives: the figures count one child
  BudgetDefinition budget;
};

/// core::name_phases, by what the agents say of themselves.
void name_phases(WorkflowDefinition& definition, const std::vector<AgentDescription>& agents);
Plan make_plan(const WorkflowDefinition& definition, const std::vector<AgentDescription>& agents);
/// The plan for people, each phase drawn as a graph; lines ended by '\n'.
std::string to_text(const Plan& plan);
/// What it may cost by task and by model, the budget beside it, and the verdict of each policy.
std::string to_text(const Forecast& forecast, const BudgetDefinition& budget);
/// One object; a limit that is not set is null, and so is a price that is not known.
std::string to_json(const Plan& plan, const Forecast& forecast);

}  // namespace conductorai::definition
