#include "infrastructure/state/memory_store.hpp"

#include <algorithm>
#include <limits>

namespace conductorai::infrastructure {

std::vector<StoredStep> MemorySteps::all_at(const StepId& id) {
  std::vector<StoredStep> found;
  auto attempt = by_attempt_.find(id.attempt);
  if (attempt == by_attempt_.end()) return found;
  for (const auto& [no, step] : attempt->second)
    if (step.record.id.ordinal == id.ordinal) found.push_back(step);
  return found;
}

std::vector<StoredStep> MemorySteps::all_of(const AttemptId& attempt) {
  std::vector<StoredStep> found;
  auto steps = by_attempt_.find(attempt);
  if (steps == by_attempt_.end()) return found;
  for (const auto& [no, step] : steps->second) found.push_back(step);
  return found;
}

AttemptId MemorySteps::before(const WorkflowId& workflow) {
  return {workflow, TaskId(), std::numeric_limits<int>::min(), std::numeric_limits<int>::min()};
}

std::vector<StoredStep> MemorySteps::sent_of(const WorkflowId& workflow) {
  std::map<std::int64_t, StoredStep> by_no;
  for (auto it = by_attempt_.lower_bound(before(workflow)); it != by_attempt_.end() && it->first.workflow == workflow; ++it)
    for (const auto& [no, step] : it->second)
      if (step.record.status == StepStatus::sent) by_no.emplace(no, step);
  std::vector<StoredStep> found;
  for (auto& [no, step] : by_no) found.push_back(std::move(step));
  return found;
}

void MemorySteps::remove(const WorkflowId& workflow) {
  auto it = by_attempt_.lower_bound(before(workflow));
  while (it != by_attempt_.end() && it->first.workflow == workflow) {
    for (const auto& [no, step] : it->second) earlier_.erase(earlier_.lower_bound({no, 0}), earlier_.lower_bound({no + 1, 0}));
    it = by_attempt_.erase(it);
  }
  const std::string id = workflow.value;
  std::erase_if(budgets_, [&](const auto& budget) {
    return budget.first == "workflow/" + id || budget.first.starts_with("task/" + id + "/") ||
           budget.first.starts_with("agent/" + id + "/");
  });
}

void MemorySteps::insert(const StoredStep& step) {
  StoredStep& stored = by_attempt_[step.record.id.attempt][++last_no_];
  stored = step;
  stored.no = last_no_;
}

void MemorySteps::update(const StoredStep& step) {
  by_attempt_[step.record.id.attempt][step.no] = step;
}

std::optional<EarlierTry> MemorySteps::earlier_try(std::int64_t step, int number) {
  auto found = earlier_.find({step, number});
  if (found == earlier_.end()) return std::nullopt;
  return found->second;
}

void MemorySteps::put_earlier_try(std::int64_t step, int number, const EarlierTry& earlier) {
  earlier_[{step, number}] = earlier;
}

BudgetUse MemorySteps::use_of(const std::string& scope) {
  auto found = budgets_.find(scope);
  return found == budgets_.end() ? BudgetUse{} : found->second;
}

void MemorySteps::add_use(const std::string& scope, const Amounts& spent, const Amounts& reserved) {
  const auto add = [](Amounts& to, const Amounts& more) {
    to.usd_micros += more.usd_micros;
    to.tokens += more.tokens;
    to.calls += more.calls;
    to.wall_ms += more.wall_ms;
  };
  BudgetUse& use = budgets_[scope];
  add(use.spent, spent);
  add(use.reserved, reserved);
}

std::uint64_t MemorySteps::epoch_of(const WorkflowId& workflow) {
  auto found = store_.workflows.find(workflow);
  return found == store_.workflows.end() ? 0 : found->second.epoch;
}

std::vector<StepRecord> MemorySteps::records_of(const WorkflowId& workflow) const {
  std::map<std::int64_t, const StepRecord*> by_no;
  for (auto it = by_attempt_.lower_bound(before(workflow)); it != by_attempt_.end() && it->first.workflow == workflow; ++it)
    for (const auto& [no, step] : it->second) by_no.emplace(no, &step.record);
  std::vector<StepRecord> records;
  for (const auto& [no, record] : by_no) records.push_back(*record);
  return records;
}

WorkflowSummary MemoryStore::summary_of(const MemoryWorkflow& workflow) const {
  WorkflowSummary summary = workflow.summary;
  summary.owner_alive = workflow.owner != nullptr && living.contains(const_cast<MemoryStateManager*>(workflow.owner));
  return summary;
}

}  // namespace conductorai::infrastructure
