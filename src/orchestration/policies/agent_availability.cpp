#include <fmt/format.h>

#include "orchestration/policies/rules.hpp"

namespace conductorai::orchestration {

namespace {

/// A task waits while no agent of its type has room. Where no agents are counted (the core asks before any is known, and the coordinator
/// answers a type nobody serves itself) there is nothing to say.
class AgentAvailability final : public Policy {
 public:
  [[nodiscard]] std::string_view name() const override { return "agent-availability"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext& context) const override {
    const auto* start = std::get_if<StartTask>(&context);
    if (start == nullptr || start->agents_of_type == 0 || start->agents_available > 0) return {};
    const auto type = start->task != nullptr ? start->task->agent.str() : "";
    return {.verdict = PolicyVerdict::wait,
            .reasons = {fmt::format("agent-availability: none of the {} agents of type '{}' is free", start->agents_of_type, type)}};
  }
};

}  // namespace

std::unique_ptr<Policy> make_agent_availability() {
  return std::make_unique<AgentAvailability>();
}

}  // namespace conductorai::orchestration
