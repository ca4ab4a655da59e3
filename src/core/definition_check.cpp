#include "core/definition_check.hpp"

#include "core/expression.hpp"
#include "core/state.hpp"

namespace conductorai::core {
namespace {

std::unexpected<Error> wrong(const TaskDefinition& task, std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message), "tasks." + task.id.value);
}

Result<void> check_ids(const WorkflowDefinition& definition, const TaskPlaces& places) {
  for (const TaskDefinition& task : definition.tasks) {
    if (task.id.empty()) return fail(ErrorCode::invalid_argument, "a task has no id", "tasks");
    if (task.id.value.find_first_of("[]/@") != std::string::npos) return wrong(task, "a task's id has none of the characters [ ] / @");
  }
  if (const TaskId* repeated = places.repeated(definition))
    return wrong(definition.tasks[*places.find(*repeated)], "the task's id is not unique");
  for (const TaskDefinition& task : definition.tasks)
    for (const TaskId& need : task.needs)
      if (!places.find(need)) return wrong(task, "it needs task " + need.value + ", which is not there");
  return {};
}

Result<void> check_order(const WorkflowDefinition& definition, const TaskPlaces& places) {
  const PhaseByPlace phases = phases_by_place(definition);
  for (std::size_t place = 0; place < phases.size(); ++place) {
    const TaskDefinition& task = definition.tasks[place];
    const auto own = phases[place];
    if (!own) return wrong(task, "it needs itself, by way of others or directly");
    for (const TaskId& need : task.needs)
      if (const auto needed = phases[*places.find(need)]; needed && *needed > *own)
        return wrong(task, "it is of phase " + std::string(to_string(*own)) + " and needs task " + need.value + " of the later phase " +
                               std::string(to_string(*needed)));
  }
  return {};
}

Result<void> check_condition(const TaskDefinition& task) {
  if (task.condition.empty()) return {};
  if (auto parsed = parse_expression(task.condition); !parsed) return wrong(task, "if: " + to_string(parsed.error()));
  return {};
}

}  // namespace

Result<void> check_definition(const WorkflowDefinition& definition) {
  const TaskPlaces places(definition);
  if (auto ids = check_ids(definition, places); !ids) return ids;
  if (auto order = check_order(definition, places); !order) return order;
  for (const TaskDefinition& task : definition.tasks)
    if (auto condition = check_condition(task); !condition) return condition;
  return {};
}

}  // namespace conductorai::core
