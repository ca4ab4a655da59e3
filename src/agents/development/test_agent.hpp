#pragma once
// TestAgent: writes tests, runs the project's tests in the sandbox, and lets the evidence decide.

#include <optional>

#include "agents/base/toolchain_run.hpp"
#include "agents/development/test_agent_outcome.hpp"
#include "agents/tools/tool.hpp"
#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

/// The model is asked for tests in the first run of the task, and again only when a finding names it; never with `write-tests: false`.
/// An answer without files, where none were written by tools, fails the attempt (invalid_answer); one that touches what it may not, or
/// deletes or weakens tests, is a failed verdict aimed at this task. So is, aimed at the code, whatever the workflow did to the tests that
/// were there when it started (changed_tests.hpp). Otherwise the verdict is the judge's (evidence/verdict.hpp). A missing
/// program of the toolchain or a missing sandbox is an error of the attempt.
class TestAgent final : public BaseAgent {
 public:
  TestAgent(AgentId id, int capacity, EnforcePolicy enforce) : BaseAgent(std::move(id), capacity), enforce_(std::move(enforce)) {}
  [[nodiscard]] const AgentDescription& description() const override;

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override;

 private:
  task<Result<bool>> wants_new_tests(TaskContext& context, Workspace& workspace);
  task<Result<std::optional<Outcome>>> write_tests(TaskContext& context, Workspace& workspace);  // an outcome: the answer was refused
  task<Result<std::optional<Outcome>>> refuse_changed_tests(TaskContext& context, Workspace& workspace);
  task<Result<Outcome>> run_tests(TaskContext& context, Workspace& workspace);
  task<Result<std::optional<Outcome>>> list_tests(TaskContext& context, Workspace& workspace, ToolchainRun& run, TestsObserved& observed);

  EnforcePolicy enforce_;
};

}  // namespace conductorai::agents
