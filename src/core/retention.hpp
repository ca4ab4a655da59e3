#pragma once
// Which ended workflows a rule lets go.

#include <vector>

#include "conductorai/state_manager.hpp"

namespace conductorai::core {

/// In the order they are given. Those that have not ended, or whose owner lives, are never among them.
std::vector<WorkflowSummary> prunable(std::vector<WorkflowSummary> workflows, const RetentionRule& rule, Timestamp now);

}  // namespace conductorai::core
