#pragma once
// CommandAgent: a shell command in the sandbox, no model; its exit code is the verdict.

#include <functional>
#include <memory>

#include "conductorai/base_agent.hpp"
#include "conductorai/policy.hpp"

namespace conductorai::agents {

/// Asked with RunCommand before the command is run (PolicyEngine::enforce); empty: everything is allowed.
using EnforcePolicy = std::function<Result<void>(const PolicyContext&)>;

std::unique_ptr<BaseAgent> make_command_agent(AgentId id, int capacity, EnforcePolicy enforce);

}  // namespace conductorai::agents
