#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "orchestration/policies/rules.hpp"

namespace conductorai::orchestration {

namespace {

/// Releases go only to drivers that policies.deploy-targets lists; an empty list allows all.
class DeployTargets final : public Policy {
 public:
  [[nodiscard]] std::string_view name() const override { return "deploy-targets"; }
  [[nodiscard]] PolicyDecision check(const PolicyContext& context) const override {
    const auto* deploy = std::get_if<Deploy>(&context);
    if (deploy == nullptr || deploy->definition == nullptr) return {};
    const auto& allowed = deploy->definition->policies.deploy_targets;
    if (allowed.empty() || std::ranges::find(allowed, deploy->driver) != allowed.end()) return {};
    return {
        .verdict = PolicyVerdict::deny,
        .reasons = {fmt::format("deploy-targets: '{}' is not among the allowed targets: {}", deploy->driver, fmt::join(allowed, ", "))}};
  }
};

}  // namespace

std::unique_ptr<Policy> make_deploy_targets() {
  return std::make_unique<DeployTargets>();
}

}  // namespace conductorai::orchestration
