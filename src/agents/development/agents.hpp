#pragma once
// The built-in agents of the development phase.

#include <memory>

#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

std::unique_ptr<BaseAgent> make_coding_agent(AgentId id, int capacity);
std::unique_ptr<BaseAgent> make_review_agent(AgentId id, int capacity);
std::unique_ptr<BaseAgent> make_test_data_agent(AgentId id, int capacity);
std::unique_ptr<BaseAgent> make_test_agent(AgentId id, int capacity);

}  // namespace conductorai::agents
