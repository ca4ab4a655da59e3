#pragma once
// What the wall budgets of an attempt leave for its next step.

#include <vector>

#include "conductorai/state_manager.hpp"

namespace conductorai::runtime {

/// The least that any of `scopes` leaves, Milliseconds::max() where none limits it; not above nothing where it is used up.
/// Errors: those of StateManager.
task<Result<Milliseconds>> wall_left(StateManager& states, std::vector<BudgetScope> scopes);

}  // namespace conductorai::runtime
