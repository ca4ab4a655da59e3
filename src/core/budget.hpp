#pragma once
// The arithmetic of budgets: what is left of a scope's limits, and the words of a refusal.

#include <string>

#include "conductorai/state_manager.hpp"

namespace conductorai::core {

Amounts plus(const Amounts& a, const Amounts& b);
Amounts minus(const Amounts& a, const Amounts& b);

/// "workflow/wf-…: calls: 10 of 10 used, 1 more asked", of the first limit that `asked` would overrun; empty when it fits.
std::string budget_refusal(const BudgetScope& scope, const BudgetUse& use, const Amounts& asked);

}  // namespace conductorai::core
