#pragma once
// The devops agent: from tested code to a bundle that can be released.

#include <memory>

#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

std::unique_ptr<BaseAgent> make_devops_agent(AgentId id, int capacity);

}  // namespace conductorai::agents
