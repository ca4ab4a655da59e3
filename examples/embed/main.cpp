// A program that has software written and tested: the workflow is built in code, watched while it runs, and looked at afterwards.
//   embed FOLDER    works below FOLDER (state in FOLDER/.conductorai); the stock answers of the scripted model take a real model's place

#include <conductorai/conductorai.hpp>
#include <cstdio>

using namespace conductorai;

namespace {

TaskDefinition task_of(const char* id, const char* agent, std::vector<TaskId> needs, Object with = {}) {
  TaskDefinition task;
  task.id = TaskId(id);
  task.agent = AgentType(agent);
  task.needs = std::move(needs);
  task.with = std::move(with);
  return task;
}

WorkflowDefinition greeting() {
  WorkflowDefinition workflow;
  workflow.name = "greeting";
  workflow.requirement = "A function greet(name) in Python that says hello, with its tests.";
  workflow.tasks = {task_of("code", "coding", {}), task_of("test", "test", {TaskId("code")}),
                    task_of("count", "command", {TaskId("test")}, {{"run", "find . -name '*.py' | wc -l"}})};
  workflow.budget.calls = 10;
  workflow.llm.provider = "mock";
  return workflow;
}

int complain(const Error& error) {
  std::fprintf(stderr, "embed: error: %s\n", to_string(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // Sandboxed commands start this very program again as their helper, so nothing else is needed on the machine.
  if (const auto exit_code = run_internal_command(argc, argv)) return *exit_code;
  const std::filesystem::path folder = argc > 1 ? argv[1] : ".";

  ConductorAI conductor({.project_root = folder, .state_dir = folder / ".conductorai"});
  if (auto ready = conductor.initialize(); !ready) return complain(ready.error());
  auto ended = conductor.run_workflow(greeting(), [](const EventRecord& event) {
    std::printf("%3llu %s\n", static_cast<unsigned long long>(event.seq), event.event.c_str());
  });
  if (!ended) return complain(ended.error());

  auto state = conductor.get_workflow_state(ended->id);
  if (!state) return complain(state.error());
  std::printf("%s %s: %s\n", state->id.str().c_str(), state->name.c_str(), std::string(to_string(state->status)).c_str());
  for (const TaskView& task : state->tasks) {
    std::printf("  %-6s %s, %s\n", task.id.str().c_str(), std::string(to_string(task.status)).c_str(), task.summary.c_str());
    for (const ArtifactRef& artifact : task.artifacts) {
      if (artifact.name != "command.stdout") continue;
      auto bytes = conductor.get_artifact(artifact.digest);
      if (!bytes) return complain(bytes.error());
      std::printf("  python files: %s", bytes->c_str());
    }
  }
  conductor.shutdown();
  return state->status == WorkflowStatus::completed ? 0 : 1;
}
