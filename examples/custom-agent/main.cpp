// An agent of one's own beside the built-in ones: it measures the files of the workspace against a limit, and its verdict rests on what it
// measured.
//   custom-agent REPOSITORY LIMIT    exit code 0 when no file of the repository is longer than LIMIT lines

#include <algorithm>
#include <conductorai/conductorai.hpp>
#include <cstdio>
#include <cstdlib>

using namespace conductorai;

namespace {

class LengthAgent final : public BaseAgent {
 public:
  using BaseAgent::BaseAgent;
  const AgentDescription& description() const override {
    static const AgentDescription description{
        .type = AgentType("length"),
        .phase = Phase::devops,
        .summary = "no file is longer than it may be",
        .with = {{.name = "lines", .type = WithKey::Type::integer, .required = true, .description = "the most a file may have"}}};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    const std::int64_t limit = *context.assignment().task->with.at("lines").as_int();
    auto workspace = co_await context.workspace();
    if (!workspace) co_return fail(workspace.error());
    auto files = co_await (*workspace)->list_files();
    if (!files) co_return fail(files.error());
    FeedbackPayload feedback;
    std::string measured;
    for (const std::string& file : *files) {
      auto content = co_await (*workspace)->read(file);
      if (!content) continue;
      const auto lines = std::count(content->begin(), content->end(), '\n');
      measured += std::to_string(lines) + " " + file + "\n";
      if (lines > limit) feedback.findings.push_back({.file = file, .message = std::to_string(lines) + " lines", .source = "length"});
    }
    auto kept = co_await context.save_artifact("lengths.txt", "report", measured);
    if (!kept) co_return fail(kept.error());
    const auto over = static_cast<std::int64_t>(feedback.findings.size());
    Outcome outcome{.verdict = over == 0 ? Verdict::passed : Verdict::failed};
    outcome.summary = std::to_string(over) + " of " + std::to_string(files->size()) + " files are too long";
    outcome.evidence.push_back({.kind = "length", .summary = outcome.summary, .value = over, .artifact = kept->digest});
    outcome.feedback = std::move(feedback);
    co_return outcome;
  }
};

int complain(const Error& error) {
  std::fprintf(stderr, "custom-agent: error: %s\n", to_string(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto exit_code = run_internal_command(argc, argv)) return *exit_code;
  if (argc != 3) return std::fprintf(stderr, "usage: custom-agent REPOSITORY LIMIT\n"), 2;
  const std::filesystem::path repository = std::filesystem::absolute(argv[1]);

  TaskDefinition measure;
  measure.id = TaskId("measure");
  measure.agent = AgentType("length");
  measure.with = {{"lines", std::int64_t{std::atoi(argv[2])}}};
  WorkflowDefinition workflow;
  workflow.name = "lengths";
  workflow.workspace.repo = ".";
  workflow.tasks = {measure};
  workflow.max_rounds = 1;

  ConductorAI conductor({.project_root = repository, .state_dir = repository / ".conductorai"});
  if (auto added = conductor.register_agent(std::make_unique<LengthAgent>(AgentId("length-01"))); !added) return complain(added.error());
  if (auto ready = conductor.initialize(); !ready) return complain(ready.error());
  auto ended = conductor.run_workflow(workflow);
  if (!ended) return complain(ended.error());
  const TaskView& task = ended->tasks.at(0);
  std::printf("%s in %s: %s\n", std::string(to_string(ended->status)).c_str(), std::string(to_string(task.phase)).c_str(),
              task.summary.c_str());
  conductor.shutdown();
  return ended->status == WorkflowStatus::completed ? 0 : 1;
}
