#pragma once
#include <string>
#include <unordered_map>

#include "infrastructure/state/sqlite_connection.hpp"
#include "infrastructure/state/step_ledger.hpp"

namespace conductorai::infrastructure {

/// What the steps of one transaction add to budgets: many count to the same ones, and each of those is written once, at its end.
class BudgetSums {
 public:
  void add(const std::string& scope, const Amounts& spent, const Amounts& reserved);
  /// What `stored` has become.
  [[nodiscard]] BudgetUse on_top_of(BudgetUse stored, const std::string& scope) const;
  void write(Connection& db);
  void forget() { added_.clear(); }

 private:
  std::unordered_map<std::string, BudgetUse> added_;
};

/// The ledger's table in SQLite; its calls throw SqliteFailure.
class SqliteSteps final : public StepTable {
 public:
  SqliteSteps(Connection& db, BudgetSums& sums) : db_(db), sums_(sums) {}
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

 private:
  Connection& db_;
  BudgetSums& sums_;
};

std::vector<StepRecord> step_records(Connection& db, const AttemptId& attempt);
std::vector<StepRecord> step_records(Connection& db, const WorkflowId& workflow);
BudgetUse stored_use(Connection& db, const std::string& scope);

}  // namespace conductorai::infrastructure
