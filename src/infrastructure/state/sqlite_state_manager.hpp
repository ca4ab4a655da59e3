#pragma once
// StateManager on one SQLite file (docs/formats/state-db.md), shared by all processes of a project.

#include <chrono>
#include <filesystem>
#include <memory>

#include "conductorai/state_manager.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure {

struct SqliteOptions {
  bool create = true;                              // false: a state directory that is not there is not_found
  std::chrono::milliseconds busy_timeout{30'000};  // how long another process's transaction is waited for
  std::int64_t pages_max = 0;                      // of 8 KiB; 0: what the disk holds
  std::int64_t checkpoint_pages = 1'024;           // WAL pages after which a busy store is checkpointed
};

class SqliteStateManager final : public StateManager {
 public:
  /// Opens or makes `<state_dir>/state.db`. Blocks briefly: call it at start-up.
  /// Errors: unsupported (written by a newer version: names both), data_corrupted (not our database), permission_denied, unavailable,
  /// resource_exhausted, not_found (with `create` off).
  static Result<std::unique_ptr<SqliteStateManager>> open(runtime::Loop& loop, std::filesystem::path state_dir, SqliteOptions options = {});

  /// REQUIRES: no call is under way, and `close` was awaited if `on_command` or `wait_for_change` was ever used.
  /// Workflows not released are then listed as of a dead owner.
  ~SqliteStateManager() override;

  /// Stops watching the directory; calls of `wait_for_change` under way answer `cancelled`. Idempotent.
  task<void> close();

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
  struct Impl;
  explicit SqliteStateManager(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace conductorai::infrastructure
