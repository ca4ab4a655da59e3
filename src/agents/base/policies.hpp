#pragma once
// How agents ask the policies.

#include <functional>
#include <vector>

#include "conductorai/policy.hpp"
#include "conductorai/result.hpp"

namespace conductorai::agents {

/// PolicyEngine::enforce; empty: everything is allowed.
using EnforcePolicy = std::function<Result<void>(const PolicyContext&)>;

/// The first refusal of any of them.
Result<void> enforce_all(const EnforcePolicy& enforce, const std::vector<PolicyContext>& acts);

}  // namespace conductorai::agents
