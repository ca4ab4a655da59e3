#include <fmt/format.h>

#include "orchestration/policies/rules.hpp"

namespace conductorai::orchestration {

namespace {

void limit(PolicyDecision& decision, std::string_view what, int running, int most) {
  if (most <= 0 || running < most) return;
  decision.verdict = PolicyVerdict::wait;
  decision.reasons.push_back(fmt::format("max-concurrent-tasks: {} of {} attempts {}", running, most, what));
}

/// Attempts at once: in this process, in the workflow, and in the workflow of one agent type. A limit of 0 is none.
class MaxConcurrentTasks final : public Policy {
 public:
  [[nodiscard]] std::string_view name() const override { return "max-concurrent-tasks"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext& context) const override {
    const auto* start = std::get_if<StartTask>(&context);
    PolicyDecision decision;
    if (start == nullptr) return decision;
    limit(decision, "are running in this process", start->running_global, start->max_global);
    if (start->definition == nullptr) return decision;
    const PolicyDefinition& policies = start->definition->policies;
    limit(decision, "are running in this workflow", start->running_workflow, policies.max_concurrent_tasks);
    if (policies.max_concurrent_per_agent > 0 && start->running_type >= policies.max_concurrent_per_agent) {
      decision.verdict = PolicyVerdict::wait;
      decision.reasons.push_back(fmt::format("max-concurrent-per-agent: {} of {} '{}' attempts are running in this workflow",
                                             start->running_type, policies.max_concurrent_per_agent,
                                             start->task != nullptr ? start->task->agent.str() : ""));
    }
    return decision;
  }
};

}  // namespace

std::unique_ptr<Policy> make_max_concurrent_tasks() {
  return std::make_unique<MaxConcurrentTasks>();
}

}  // namespace conductorai::orchestration
