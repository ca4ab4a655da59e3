#pragma once
// What MemoryStateManagers share: the tables, who is alive, who listens.

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "infrastructure/state/memory_state_manager.hpp"
#include "infrastructure/state/step_ledger.hpp"

namespace conductorai::infrastructure {

class MemorySteps final : public StepTable {
 public:
  explicit MemorySteps(const MemoryStore& store) : store_(store) {}
  std::vector<StoredStep> all_at(const StepId& id) override;
  std::vector<StoredStep> all_of(const AttemptId& attempt) override;
  std::vector<StoredStep> sent_of(const WorkflowId& workflow) override;
  void insert(const StoredStep& step) override;
  void update(const StoredStep& step) override;
  std::optional<EarlierTry> earlier_try(std::int64_t step, int number) override;
  void put_earlier_try(std::int64_t step, int number, const EarlierTry& earlier) override;
  BudgetUse use_of(const std::string& scope) override;
  void add_use(const std::string& scope, const Amounts& spent, const Amounts& reserved) override;
  std::uint64_t epoch_of(const WorkflowId& workflow) override;

  [[nodiscard]] std::vector<StepRecord> records_of(const WorkflowId& workflow) const;
  /// Its steps, their earlier tries and its own budgets.
  void remove(const WorkflowId& workflow);

 private:
  using Attempts = std::map<AttemptId, std::map<std::int64_t, StoredStep>>;
  [[nodiscard]] static AttemptId before(const WorkflowId& workflow);
  const MemoryStore& store_;
  std::int64_t last_no_ = 0;
  Attempts by_attempt_;
  std::map<std::pair<std::int64_t, int>, EarlierTry> earlier_;
  std::unordered_map<std::string, BudgetUse> budgets_;
};

struct MemoryWorkflow {
  WorkflowSummary summary;
  std::uint64_t epoch = 1;
  const MemoryStateManager* owner = nullptr;
  std::vector<JournalRow> rows;
};

class MemoryStore {
 public:
  std::unordered_map<WorkflowId, MemoryWorkflow> workflows;
  MemorySteps steps{*this};
  std::map<std::int64_t, InboxCommand> commands;
  std::int64_t last_command = 0;
  std::map<std::int64_t, DeadLetter> dead_letters;
  std::int64_t last_dead_letter = 0;
  std::map<AgentId, AgentState> agents;
  std::set<WorkflowId> removals;
  std::set<MemoryStateManager*> living;

  void changed(const WorkflowId& workflow);
  void command_arrived();
  [[nodiscard]] WorkflowSummary summary_of(const MemoryWorkflow& workflow) const;
};

}  // namespace conductorai::infrastructure
