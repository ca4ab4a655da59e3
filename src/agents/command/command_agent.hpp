#pragma once
// CommandAgent: a shell command in the sandbox, no model; its exit code is the verdict.

#include <memory>

#include "agents/base/policies.hpp"
#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

/// `enforce` is asked with RunCommand before the command is run.
std::unique_ptr<BaseAgent> make_command_agent(AgentId id, int capacity, EnforcePolicy enforce);

}  // namespace conductorai::agents
