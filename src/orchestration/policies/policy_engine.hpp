#pragma once
// PolicyEngine: asks every rule; the strictest answer wins, the reasons of all that are as strict are kept.

#include <memory>
#include <vector>

#include "conductorai/policy.hpp"
#include "conductorai/result.hpp"

namespace conductorai::orchestration {

class PolicyEngine {
 public:
  /// No rules: everything is allowed. `standard_policies()` are those of DESIGN §7.
  explicit PolicyEngine(std::vector<std::unique_ptr<Policy>> rules);
  [[nodiscard]] PolicyDecision check(const PolicyContext& context) const;
  /// Each rule's own answer, in their order.
  struct Answer {
    std::string_view rule;
    PolicyDecision decision;
  };
  [[nodiscard]] std::vector<Answer> check_each(const PolicyContext& context) const;
  /// Errors: permission_denied (deny, or an approval is missing), unavailable with Retry::backoff (wait); the reasons are the message.
  [[nodiscard]] Result<void> enforce(const PolicyContext& context) const;

 private:
  std::vector<std::unique_ptr<Policy>> rules_;
};

/// One file a rule; this is the one list.
std::vector<std::unique_ptr<Policy>> standard_policies();

}  // namespace conductorai::orchestration
