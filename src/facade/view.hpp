#pragma once
// From a folded state to what people and JSON output see.

#include <map>
#include <vector>

#include "conductorai/conductorai.hpp"
#include "core/state.hpp"
#include "orchestration/policies/policy_engine.hpp"

namespace conductorai::facade {

struct ViewSources {
  WorkflowSummary summary;
  std::vector<StepRecord> steps;          // usage comes from the ledger, unknown calls included
  std::map<TaskId, std::string> waiting;  // the coordinator's reasons, where this process owns the workflow
  std::filesystem::path repo;
  std::string tree;
  std::optional<ReleaseInfo> release;
  Timestamp now{};
};

WorkflowView make_view(const core::WorkflowState& state, const ViewSources& sources);

/// Why tasks of a workflow wait that another process owns, as far as the agents' saved states say so: a back-off, a limit that is reached,
/// open breakers. What they do not show has no reason here.
std::map<TaskId, std::string> waiting_elsewhere(const core::WorkflowState& state, const std::vector<AgentState>& agents,
                                                const orchestration::PolicyEngine& policies, Timestamp now);

}  // namespace conductorai::facade
