#pragma once
// The agent of the monitoring phase.

#include <memory>

#include "conductorai/base_agent.hpp"
#include "conductorai/prober.hpp"
#include "conductorai/release_manager.hpp"

namespace conductorai::agents {

/// Watches the release of an upstream deploying task for a window and judges what was measured by thresholds alone. Both ports outlive it.
std::unique_ptr<BaseAgent> make_monitor_agent(AgentId id, int capacity, Prober& prober, ReleaseManager& releases);

}  // namespace conductorai::agents
