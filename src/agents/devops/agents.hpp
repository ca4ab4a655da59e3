#pragma once
// The devops agent: from tested code to a bundle that can be released.

#include <memory>

#include "agents/devops/image_check.hpp"
#include "agents/tools/tool.hpp"
#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

/// `build` is used where a task's `with` says `container-build: true`; without it Dockerfiles are checked for syntax only.
std::unique_ptr<BaseAgent> make_devops_agent(AgentId id, int capacity, BuildImage build = {}, EnforcePolicy enforce = {});

}  // namespace conductorai::agents
