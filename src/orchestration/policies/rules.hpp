#pragma once
// The standard rules, one file each. A new rule: a file here, a line here, a line in standard_policies.cpp.

#include <memory>

#include "conductorai/policy.hpp"

namespace conductorai::orchestration {

std::unique_ptr<Policy> make_phase_gate();
std::unique_ptr<Policy> make_max_concurrent_tasks();
std::unique_ptr<Policy> make_agent_availability();
std::unique_ptr<Policy> make_approvals();
std::unique_ptr<Policy> make_deploy_targets();
std::unique_ptr<Policy> make_allowed_commands();

}  // namespace conductorai::orchestration
