#include "orchestration/policies/policy_engine.hpp"
#include "orchestration/policies/rules.hpp"

namespace conductorai::orchestration {

std::vector<std::unique_ptr<Policy>> standard_policies() {
  std::vector<std::unique_ptr<Policy>> rules;
  rules.push_back(make_phase_gate());
  rules.push_back(make_max_concurrent_tasks());
  rules.push_back(make_agent_availability());
  rules.push_back(make_approvals());
  rules.push_back(make_deploy_targets());
  rules.push_back(make_allowed_commands());
  return rules;
}

}  // namespace conductorai::orchestration
