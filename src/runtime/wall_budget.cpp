#include "runtime/wall_budget.hpp"

#include <algorithm>

namespace conductorai::runtime {

task<Result<Milliseconds>> wall_left(StateManager& states, std::vector<BudgetScope> scopes) {
  Milliseconds left = Milliseconds::max();
  for (const BudgetScope& scope : scopes) {
    if (!scope.wall_ms) continue;
    auto use = co_await states.budget_use(scope.key);
    if (!use) co_return fail(use.error());
    left = std::min(left, Milliseconds(*scope.wall_ms - use->spent.wall_ms - use->reserved.wall_ms));
  }
  co_return left;
}

}  // namespace conductorai::runtime
