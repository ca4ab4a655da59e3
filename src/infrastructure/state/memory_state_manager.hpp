#pragma once
// StateManager in memory: for tests, simulations and `--state memory`. Nothing outlives the process.

#include <memory>

#include "conductorai/state_manager.hpp"

namespace conductorai::infrastructure {

/// What "the disk" holds. Several managers on one store are several owners, as several processes on one state directory would be; a
/// manager that is destroyed without releasing is a crashed process. One thread.
class MemoryStore;
std::shared_ptr<MemoryStore> make_memory_store();

class MemoryStateManager : public StateManager {
 public:
  explicit MemoryStateManager(std::shared_ptr<MemoryStore> store = make_memory_store());
  ~MemoryStateManager() override;

  task<Result<Ownership>> claim(WorkflowId workflow, std::string owner) override;
  task<Result<bool>> release(WorkflowId workflow) override;
  task<Result<void>> append(AppendRequest request) override;
  task<Result<std::vector<JournalRow>>> load(WorkflowId workflow, std::uint64_t from_seq, int limit) override;
  task<Result<std::vector<WorkflowSummary>>> list(WorkflowFilter filter) override;
  task<Result<WorkflowSummary>> get(WorkflowId workflow) override;
  task<Result<void>> wait_for_change(WorkflowId workflow) override;
  task<Result<StepBegun>> begin_step(StepBegin step) override;
  task<Result<void>> finish_step(StepFinish step) override;
  task<Result<std::vector<StepRecord>>> load_steps(AttemptId attempt) override;
  task<Result<std::vector<StepRecord>>> list_steps(WorkflowId workflow) override;
  task<Result<BudgetUse>> budget_use(std::string scope) override;
  task<Result<std::int64_t>> post_command(WorkflowId workflow, std::string body) override;
  task<Result<std::vector<InboxCommand>>> commands(WorkflowId workflow) override;
  task<Result<void>> discard_commands(std::vector<std::int64_t> ids) override;
  void on_command(std::function<void()> listener) override;
  task<Result<std::int64_t>> put_dead_letter(DeadLetter letter) override;
  task<Result<std::vector<DeadLetter>>> dead_letters() override;
  task<Result<DeadLetter>> take_dead_letter(std::int64_t id) override;
  task<Result<void>> save_agent_states(std::vector<AgentState> states) override;
  task<Result<std::vector<AgentState>>> agent_states() override;
  task<Result<void>> remove_agent_state(AgentId agent) override;
  task<Result<void>> remove_workflow(WorkflowId workflow) override;
  task<Result<std::vector<WorkflowId>>> removals() override;
  task<Result<void>> finish_removal(WorkflowId workflow) override;
  task<Result<std::int64_t>> compact() override;

 private:
  friend class MemoryStore;
  std::shared_ptr<MemoryStore> store_;
  std::function<void()> listener_;
  struct Watched;
  std::unique_ptr<Watched> watched_;
};

}  // namespace conductorai::infrastructure
