#pragma once
// The rules of the steps ledger (DESIGN §9), once for all adapters: what begin and finish do to records and budgets. Storage is a table
// behind `StepTable`; an adapter runs `begin` and `finish` inside one transaction.

#include <optional>
#include <string>
#include <vector>

#include "conductorai/state_manager.hpp"

namespace conductorai::infrastructure {

/// A stored record with what the port does not show.
struct StoredStep {
  std::int64_t no = 0;  // order of first begin
  StepRecord record;
  std::vector<std::string> scopes;  // charged by the current try
};

/// A try that a later one has replaced while its outcome was hidden: it stays charged at its reservation until a late finish tells the
/// cost.
struct EarlierTry {
  Amounts charged;
  std::vector<std::string> scopes;
  bool settled = false;
};

class StepTable {
 public:
  virtual ~StepTable() = default;
  /// All at the ordinal, in order of first begin; at most the last is not set aside.
  virtual std::vector<StoredStep> all_at(const StepId& id) = 0;
  /// All of the attempt, set aside or not, in order of first begin.
  virtual std::vector<StoredStep> all_of(const AttemptId& attempt) = 0;
  /// All of the workflow that are still out.
  virtual std::vector<StoredStep> sent_of(const WorkflowId& workflow) = 0;
  virtual void insert(const StoredStep& step) = 0;  // chooses `no`
  virtual void update(const StoredStep& step) = 0;
  virtual std::optional<EarlierTry> earlier_try(std::int64_t step, int number) = 0;
  virtual void put_earlier_try(std::int64_t step, int number, const EarlierTry& earlier) = 0;
  virtual BudgetUse use_of(const std::string& scope) = 0;
  virtual void add_use(const std::string& scope, const Amounts& spent, const Amounts& reserved) = 0;
  /// The epoch of the workflow; 0 when it is not known here.
  virtual std::uint64_t epoch_of(const WorkflowId& workflow) = 0;
};

/// Errors: fenced (older epoch than the workflow's), invalid_argument (negative amounts). An error or a refusal changes nothing.
Result<StepBegun> begin_step(StepTable& table, const StepBegin& step);
/// Errors: not_found (no such step or try), invalid_argument; of a word kept with a try that is out, fenced, and conflict when it has
/// ended.
Result<void> finish_step(StepTable& table, const StepFinish& finish);
/// Nobody will tell any more how they ended: what is still out of a workflow counts in full.
void charge_hidden(StepTable& table, const WorkflowId& workflow);

}  // namespace conductorai::infrastructure
