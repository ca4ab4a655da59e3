#pragma once
// DeployingAgent: makes a release of what was built. The ReleaseManager starts it beside the old one; its health probes are the verdict.

#include <memory>

#include "agents/base/policies.hpp"
#include "conductorai/base_agent.hpp"
#include "conductorai/release_manager.hpp"

namespace conductorai::agents {

/// `enforce` is asked with Deploy, and RunCommand for its commands, before anything is done. `releases` outlives it.
/// Outputs: `release` (its id), `url`, `state`, `version`.
std::unique_ptr<BaseAgent> make_deploying_agent(AgentId id, int capacity, ReleaseManager& releases, EnforcePolicy enforce);

}  // namespace conductorai::agents
