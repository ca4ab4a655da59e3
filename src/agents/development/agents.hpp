#pragma once
// The built-in agents of the development phase. `enforce` is asked before a model's own commands.

#include <memory>

#include "agents/tools/tool.hpp"
#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

std::unique_ptr<BaseAgent> make_coding_agent(AgentId id, int capacity, EnforcePolicy enforce = {});
std::unique_ptr<BaseAgent> make_review_agent(AgentId id, int capacity, EnforcePolicy enforce = {});
std::unique_ptr<BaseAgent> make_test_data_agent(AgentId id, int capacity);
std::unique_ptr<BaseAgent> make_test_agent(AgentId id, int capacity, EnforcePolicy enforce = {});

}  // namespace conductorai::agents
