#include "agents/development/test_agent_prompt.hpp"

#include <algorithm>

#include "agents/base/answer_files.hpp"
#include "agents/base/prompt_parts.hpp"
#include "agents/development/prompts.hpp"
#include "agents/tools/tool_loop.hpp"
#include "evidence/integrity.hpp"

namespace conductorai::agents {
namespace {

std::string_view advice(std::string_view toolchain) {
  if (toolchain == "python-unittest") return "Use unittest; name the files test_*.py.";
  if (toolchain == "python-pytest") return "Use pytest; name the files test_*.py.";
  if (toolchain == "node-test") return "Use node:test and node:assert; name the files *.test.js.";
  if (toolchain == "cmake") return "Enter each test for CTest (add_test) in CMakeLists.txt.";
  if (toolchain == "go") return "Use the testing package; name the files *_test.go.";
  if (toolchain == "cargo") return "Write tests with #[test], in tests/*.rs where they need only the public interface.";
  return "Use the test runner that the project has; without one, Python's unittest, node:test, CTest, go test or cargo test.";
}

bool names(const FeedbackPayload& feedback, const TaskId& task) {
  return feedback.target == task || std::ranges::find(feedback.affected_tasks, task) != feedback.affected_tasks.end();
}

}  // namespace

bool is_named_by_findings(const TaskAssignment& assignment) {
  return std::ranges::any_of(assignment.findings, [&](const FeedbackPayload& feedback) { return names(feedback, assignment.id.task); });
}

std::string test_system_prompt() {
  return filled_prompt(development_prompts().at("test.v1.md"),
                       {{"data_notice", std::string(data_notice())}, {"file_blocks", std::string(file_blocks_format())}});
}

task<Result<std::string>> test_prompt(TaskContext& context, Workspace& workspace, std::string toolchain) {
  const auto& assignment = context.assignment();
  auto files = co_await workspace.list_files();
  if (!files) co_return fail(files.error());
  std::vector<std::string> tests;
  std::ranges::copy_if(*files, std::back_inserter(tests), [](const std::string& path) { return evidence::is_test_path(path); });
  auto project = co_await files_block(workspace, std::move(tests), files_shown(assignment));
  if (!project) co_return fail(project.error());
  std::vector<FeedbackPayload> about_us;
  std::ranges::copy_if(assignment.findings, std::back_inserter(about_us),
                       [&](const FeedbackPayload& f) { return names(f, assignment.id.task); });
  auto agents_md = co_await agents_md_block(workspace);
  if (!agents_md) co_return fail(agents_md.error());
  std::string prompt = data_block("requirement", "", assignment.workflow->requirement) + "\n" + *agents_md + *project + "\n";
  prompt += findings_block(about_us);
  prompt += "\n" + std::string(advice(toolchain)) + "\nWrite the tests now.";
  co_return prompt;
}

}  // namespace conductorai::agents
