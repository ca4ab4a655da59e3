#pragma once
// WorkflowEngine: starts, takes over and commands workflows; each owned one is a WorkflowRun.

#include <map>
#include <memory>
#include <set>

#include "orchestration/engine/history.hpp"
#include "orchestration/engine/pinned_definitions.hpp"
#include "orchestration/engine/ports.hpp"
#include "orchestration/engine/workflow_run.hpp"

namespace conductorai::orchestration {

class WorkflowEngine {
 public:
  WorkflowEngine(EnginePorts ports, EngineOptions options, std::filesystem::path project_root);
  /// REQUIRES: no run is under way.
  ~WorkflowEngine();
  WorkflowEngine(const WorkflowEngine&) = delete;
  WorkflowEngine& operator=(const WorkflowEngine&) = delete;

  /// Pins the definition, journals workflow.started, and runs until the workflow is terminal, paused, waits for people only, or is
  /// interrupted. Errors: those of preparing the workspace (invalid_argument, conflict for a dirty base), of the stores, fenced.
  task<Result<Shared<core::WorkflowState>>> run_workflow(WorkflowDefinition definition, Watcher watcher);
  /// Takes over a workflow nobody owns and goes on the same way. Errors: conflict (a living owner), not_found, data_corrupted.
  task<Result<Shared<core::WorkflowState>>> resume_workflow(WorkflowId workflow, RunOverrides overrides, std::string by, Watcher watcher);
  /// A new workflow that begins with what another one's journal says; else as run_workflow. Errors: as ConductorAI::fork_workflow.
  task<Result<Shared<core::WorkflowState>>> fork_workflow(ForkRequest request, Watcher watcher);
  /// From anyone: written to the inbox, decided by the owner; where nobody owns the workflow it is taken, decided and given back here.
  /// Errors: not_found, invalid_argument or conflict (the command does not fit the state).
  task<Result<void>> control(WorkflowId workflow, core::Command command);
  /// Ended workflows whose owner died before it had moved the branch and cleaned up: does what is still owed.
  task<Result<void>> settle_ended();
  /// The same of one workflow, as far as it can be done: it has no owner afterwards, unless a living one.
  task<void> settle(WorkflowId workflow);
  /// The live state of an owned workflow, else its journal folded. Errors: not_found, data_corrupted, unsupported.
  task<Result<core::WorkflowState>> get_workflow_state(WorkflowId workflow);
  /// The repository that holds the workflow's branch.
  task<Result<std::filesystem::path>> repository(WorkflowId workflow, std::shared_ptr<const WorkflowDefinition> definition);
  /// Why attempts of an owned workflow do not run yet, by task.
  [[nodiscard]] std::map<TaskId, std::string> waiting_reasons(const WorkflowId& workflow) const;

  /// Stops all runs without recording it: their state stays resumable.
  void interrupt();
  /// Ends background work. REQUIRES: no run is under way.
  task<void> close();

 private:
  /// A claimed workflow, ready to be driven. Claiming that then fails has been released again.
  struct Owned {
    HistoryPtr history;
    std::vector<Inbound> commands;
    std::uint64_t epoch = 0;
  };
  void look_into_inbox();
  [[nodiscard]] std::string absolute_repo(const WorkflowDefinition& definition) const;
  task<Result<Shared<core::WorkflowState>>> start(std::unique_ptr<WorkflowDefinition> definition, Watcher watcher);
  // fork.cpp
  task<Result<Shared<core::WorkflowState>>> run_fork(WorkflowId workflow, core::ForkWorkflow fork, Object inputs, Watcher watcher);
  task<Result<HistoryPtr>> begin_fork(WorkflowId workflow, core::ForkWorkflow& fork, Object inputs);
  task<Result<PinnedDefinitions::Definition>> fork_definition(WorkflowStarted& started, Object inputs);
  task<Result<Branch>> prepare_fork(WorkflowId workflow, const core::ForkWorkflow& fork, std::string repo);
  task<Result<void>> take_artifacts(WorkflowId workflow, WorkflowId from, std::set<AttemptId> attempts);
  task<Result<HistoryPtr>> begin(WorkflowId workflow, std::unique_ptr<WorkflowDefinition> definition);
  task<Result<Shared<core::WorkflowState>>> drive(WorkflowId workflow, HistoryPtr history, std::uint64_t epoch, std::vector<Inbound> first,
                                                  Watcher watcher, WorkflowRun::Mode mode);
  task<Result<Shared<core::WorkflowState>>> apply_left_over(Shared<core::WorkflowState> state);
  task<Result<Owned>> own(WorkflowId workflow);
  task<Result<void>> take_and_apply(WorkflowId workflow);
  task<Result<std::vector<Inbound>>> waiting_commands(WorkflowId workflow);
  task<void> collect_inbox();

  EnginePorts ports_;
  EngineOptions options_;
  std::filesystem::path project_root_;
  std::map<WorkflowId, std::unique_ptr<WorkflowRun>> runs_;
  PinnedDefinitions definitions_;
  bool interrupted_ = false;
  bool inbox_changed_ = false;
  runtime::TaskScope scope_;
};

/// "wf-" and a ULID: sorts by time of making.
WorkflowId make_workflow_id(Clock& clock, Entropy& entropy);

}  // namespace conductorai::orchestration
