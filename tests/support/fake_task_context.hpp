#pragma once
// FakeTaskContext: an attempt without the house around it. Files are real, the model is scripted, commands are real local processes
// (with their own process group and time limit, without a sandbox) or whatever `runner` makes of them.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conductorai/task_context.hpp"
#include "infrastructure/artifacts/memory_artifact_store.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"
#include "tests/support/edit.hpp"
#include "tests/support/fake_workspace.hpp"

namespace conductorai::testing {

/// An answer that gives these files.
LLMResponse answer_files(std::map<std::string, std::optional<std::string>> files);
/// An answer of this text.
LLMResponse answer_text(std::string text);

class FakeTaskContext final : public TaskContext {
 public:
  /// A context for task `task` of an agent type, on a workspace with `files`.
  FakeTaskContext(runtime::Loop& loop, std::string task, std::string agent_type, FileMap files = {});

  /// The task's `with`, whole or one key of it.
  void set_with(Object with) {
    edit(given.task, [&](TaskDefinition& task) { task.with = std::move(with); });
  }
  void set_with(const std::string& key, Value value) {
    edit(given.task, [&](TaskDefinition& task) { task.with[key] = std::move(value); });
  }

  // What a test sets up.
  WorkflowDefinition definition;  // seen by the agent through assignment().workflow; `sandbox.wall` limits commands
  TaskAssignment given;
  std::deque<Result<LLMResponse>> answers;                             // given in order; none left: unavailable
  std::function<task<Result<CommandOutcome>>(CommandRequest)> runner;  // instead of a local process

  // What a test looks at.
  std::vector<LLMRequest> asked;
  std::vector<CommandRequest> commands;
  std::vector<RecordRequest> recorded;  // performed, each once
  std::vector<ArtifactRef> saved;
  std::vector<std::string> notices;
  FakeWorkspace files;

  [[nodiscard]] const TaskAssignment& assignment() const override;
  [[nodiscard]] const AgentId& agent() const override { return agent_; }
  task<Result<LLMResponse>> ask(LLMRequest request) override;
  task<Result<CommandOutcome>> run(CommandRequest request) override;
  task<Result<Value>> record(RecordRequest request, PerformStep perform) override;
  task<Result<Workspace*>> workspace() override;
  task<Result<ArtifactRef>> save_artifact(std::string name, std::string type, std::string bytes) override;
  [[nodiscard]] std::vector<ArtifactRef> saved_artifacts() const override { return saved; }
  [[nodiscard]] ArtifactStore& artifacts() override { return store_; }
  [[nodiscard]] Clock& clock() override { return loop_; }
  void progress(std::string text) override { notices.push_back(std::move(text)); }
  Result<std::filesystem::path> scratch_folder(std::string purpose) override;

  /// Content of a saved artifact; empty when there is none of that name.
  std::string artifact(const std::string& name);

 private:
  task<Result<CommandOutcome>> run_locally(CommandRequest request);
  task<Result<ArtifactRef>> keep(std::string name, std::string type, std::string bytes);

  runtime::Loop& loop_;
  AgentId agent_;
  mutable TaskAssignment current_;
  infrastructure::MemoryArtifactStore store_;
  TempFolder scratch_{"scratch"};
  int folders_ = 0;
};

}  // namespace conductorai::testing
