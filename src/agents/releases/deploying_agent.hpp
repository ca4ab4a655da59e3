#pragma once
// DeployingAgent: makes a release of what was built. The ReleaseManager starts it beside the old one; its health probes are the verdict.

#include <functional>
#include <memory>

#include "conductorai/base_agent.hpp"
#include "conductorai/policy.hpp"
#include "conductorai/release_manager.hpp"

namespace conductorai::agents {

/// `enforce` is asked with Deploy before anything is done (PolicyEngine::enforce); empty: everything is allowed. `releases` outlives it.
/// Outputs: `release` (its id), `url`, `state`, `version`.
std::unique_ptr<BaseAgent> make_deploying_agent(AgentId id, int capacity, ReleaseManager& releases,
                                                std::function<Result<void>(const PolicyContext&)> enforce);

}  // namespace conductorai::agents
