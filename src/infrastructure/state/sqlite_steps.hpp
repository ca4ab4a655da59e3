#pragma once
#include "infrastructure/state/sqlite_connection.hpp"
#include "infrastructure/state/step_ledger.hpp"

namespace conductorai::infrastructure {

/// The ledger's table in SQLite; its calls throw SqliteFailure.
class SqliteSteps final : public StepTable {
 public:
  explicit SqliteSteps(Connection& db) : db_(db) {}
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

  std::vector<StepRecord> records_of(const AttemptId& attempt);
  std::vector<StepRecord> records_of(const WorkflowId& workflow);

 private:
  Connection& db_;
};

}  // namespace conductorai::infrastructure
