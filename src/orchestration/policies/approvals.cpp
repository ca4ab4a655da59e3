#include <fmt/format.h>

#include <algorithm>

#include "orchestration/policies/rules.hpp"

namespace conductorai::orchestration {

namespace {

/// "deploy[3]" is a foreach child of "deploy" and falls under what is said of it.
std::string_view parent_of(std::string_view task) {
  return task.substr(0, task.find('['));
}

/// A task waits for a person when it says so itself (approval: true) or policies.approvals lists its id or its agent type.
class Approvals final : public Policy {
 public:
  [[nodiscard]] std::string_view name() const override { return "approvals"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext& context) const override {
    const auto* start = std::get_if<StartTask>(&context);
    if (start == nullptr || start->task == nullptr || start->approved) return {};
    const TaskDefinition& task = *start->task;
    if (task.approval) return asks(fmt::format("approvals: task '{}' asks for an approval (approval: true) and has none", task.id.str()));
    if (start->definition == nullptr) return {};
    for (const auto& listed : start->definition->policies.approvals) {
      if (listed == task.id.str() || listed == parent_of(task.id.str()))
        return asks(fmt::format("approvals: task '{}' is listed in policies.approvals and has no approval", task.id.str()));
      if (listed == task.agent.str())
        return asks(fmt::format("approvals: agent type '{}' of task '{}' is listed in policies.approvals and the task has no approval",
                                task.agent.str(), task.id.str()));
    }
    return {};
  }

 private:
  static PolicyDecision asks(std::string reason) { return {.verdict = PolicyVerdict::needs_approval, .reasons = {std::move(reason)}}; }
};

}  // namespace

std::unique_ptr<Policy> make_approvals() {
  return std::make_unique<Approvals>();
}

}  // namespace conductorai::orchestration
