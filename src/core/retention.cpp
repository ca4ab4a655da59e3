#include "core/retention.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace conductorai::core {
namespace {

std::set<WorkflowId> ended_last(const std::vector<WorkflowSummary>& workflows, std::size_t count) {
  std::vector<std::pair<Timestamp, WorkflowId>> newest;
  for (const WorkflowSummary& workflow : workflows)
    if (has_ended(workflow.status)) newest.emplace_back(workflow.updated_at, workflow.id);
  std::ranges::sort(newest, std::greater<>());
  newest.resize(std::min(newest.size(), count));
  std::set<WorkflowId> ids;
  for (auto& [at, id] : newest) ids.insert(std::move(id));
  return ids;
}

}  // namespace

std::vector<WorkflowSummary> prunable(std::vector<WorkflowSummary> workflows, const RetentionRule& rule, Timestamp now) {
  if (!rule.older_than && !rule.keep) return {};
  const std::set<WorkflowId> kept = ended_last(workflows, static_cast<std::size_t>(std::max(0, rule.keep.value_or(0))));
  std::erase_if(workflows, [&](const WorkflowSummary& workflow) {
    if (!has_ended(workflow.status) || workflow.owner_alive || kept.contains(workflow.id)) return true;
    return rule.older_than && now - workflow.updated_at <= *rule.older_than;
  });
  return workflows;
}

}  // namespace conductorai::core
