#pragma once
// The arithmetic of budgets: what is left of a scope's limits, and the words of a refusal.

#include <string>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai::core {

Amounts plus(const Amounts& a, const Amounts& b);
Amounts minus(const Amounts& a, const Amounts& b);

/// What a step counts to that an attempt begins at `now`, with the limits that hold there. Use is counted in every scope, also where
/// nothing is limited.
std::vector<BudgetScope> budget_scopes(const BudgetLimits& limits, const AttemptId& attempt, const AgentType& agent, Timestamp now);

/// Whether any of them is in US dollars, so that each call needs a known price.
[[nodiscard]] bool limits_money(const BudgetLimits& limits);
[[nodiscard]] bool limits_money(const WorkflowDefinition& definition);

struct BudgetRefusal {
  std::string text;   // "workflow/wf-…: calls: 8 of 10 used, 2 held for calls under way, 1 more asked"
  bool held = false;  // it would fit if what is held came back; of wall time anything left is enough
};
/// Of the first limit that `asked` would overrun, one that is used up before one that is held; nothing when it fits.
std::optional<BudgetRefusal> budget_refusal(const BudgetScope& scope, const BudgetUse& use, const Amounts& asked);

}  // namespace conductorai::core
