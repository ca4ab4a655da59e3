#pragma once
// What no single section can tell: tasks among each other, with their agents, and the names that expressions read. Private to definition.

#include <string>
#include <vector>

#include "conductorai/base_agent.hpp"
#include "core/document/node.hpp"
#include "core/document/problems.hpp"
#include "definition/sections.hpp"

namespace conductorai::definition {

struct CheckContext {
  const core::document::Node& root;  // of the file; an empty mapping where there is none
  const WorkflowDefinition& definition;
  const std::vector<AgentDescription>& agents;
  core::document::Problems& problems;
};

/// Needs that exist and make no cycle; each phase after those of its needs.
void check_graph(const CheckContext& context);
/// Agent types that are registered, and `with` as the agent declares it.
void check_agents(const CheckContext& context);
/// `if`, `foreach`, `with`, `outputs`: syntax, and names that will be there.
void check_expressions(const CheckContext& context);
/// `policies.approvals` names tasks and agent types, `agent-budgets` types.
void check_policies(const CheckContext& context);

const AgentDescription* find_agent(const std::vector<AgentDescription>& agents, const AgentType& type);
/// Whether the task asks a model: by its agent, unless it is told not to write tests.
bool asks_model(const TaskDefinition& task, const std::vector<AgentDescription>& agents);

}  // namespace conductorai::definition
