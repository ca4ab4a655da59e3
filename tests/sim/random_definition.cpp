#include "tests/sim/random_definition.hpp"

namespace conductorai::core {
namespace {

Array items(int count) {
  Array out;
  for (int i = 0; i < count; ++i) out.emplace_back(i);
  return out;
}

TaskDefinition random_task(Chance& chance, const std::vector<TaskDefinition>& before) {
  static const std::vector<std::string> agents{"coding",  "coding", "review",    "test",    "command",
                                               "command", "devops", "deploying", "monitor", "own"};
  static const std::vector<std::string> conditions{
      "always()", "failure()", "success()", "inputs.go", "!inputs.go", "always() && inputs.go", "cancelled()", "tasks.t0.outputs.n != 1"};
  TaskDefinition task{.id = TaskId("t" + std::to_string(before.size())), .agent = AgentType(chance.pick(agents))};
  for (const TaskDefinition& other : before)
    if (chance.percent(100 / (1 + static_cast<int>(before.size())) + 12)) task.needs.push_back(other.id);
  if (chance.percent(20)) task.condition = chance.pick(conditions);
  task.continue_on_error = chance.percent(12);
  task.approval = chance.percent(8);
  task.retry.max_attempts = 1 + chance.below(3);
  if (chance.percent(15)) {
    task.foreach = chance.percent(80) ? Value(items(chance.below(5))) : Value("${{ tasks.t0.outputs.list }}");
    task.max_parallel = chance.below(3);
  }
  if (chance.percent(15)) task.outputs = {{"label", "${{ tasks." + task.id.value + ".outputs.n }}"}};
  return task;
}

}  // namespace

std::uint64_t Chance::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

WorkflowDefinition random_definition(Chance& chance) {
  WorkflowDefinition definition;
  definition.name = "random";
  definition.inputs = {{"go", chance.percent(60)}};
  const int count = 1 + chance.below(10);
  for (int i = 0; i < count; ++i) definition.tasks.push_back(random_task(chance, definition.tasks));
  definition.max_rounds = 1 + chance.below(3);
  definition.max_loops = chance.below(3);
  if (chance.percent(30)) definition.on_exhausted = OnExhausted::complete_with_warnings;
  for (const char* phase : {"development", "devops", "monitoring"}) {
    if (!chance.percent(25)) continue;
    definition.gates[phase] = {.min_success_rate = chance.percent(50) ? 1.0 : 0.5, .approval = chance.percent(40)};
  }
  if (chance.percent(15)) definition.policies.approvals = {"deploying"};
  if (chance.percent(40)) definition.policies.approval_timeout = Milliseconds(5'000);
  if (chance.percent(20)) definition.timeout = Milliseconds(20'000);
  return definition;
}

}  // namespace conductorai::core
