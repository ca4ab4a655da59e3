#include "agents/base/policies.hpp"

namespace conductorai::agents {

Result<void> enforce_all(const EnforcePolicy& enforce, const std::vector<PolicyContext>& acts) {
  if (!enforce) return {};
  for (const PolicyContext& act : acts)
    if (auto allowed = enforce(act); !allowed) return allowed;
  return {};
}

}  // namespace conductorai::agents
