#pragma once
// Removing what is no longer wanted, and giving the space back. All but `bytes_of_state` and `make_it_give_back_pages` throw SqliteFailure.

#include <filesystem>
#include <string>
#include <vector>

#include "conductorai/state_manager.hpp"
#include "infrastructure/state/sqlite_connection.hpp"
#include "infrastructure/state/sqlite_steps.hpp"

namespace conductorai::infrastructure {

/// Inside a transaction. Errors: as StateManager::remove_workflow.
Result<void> remove_workflow(Connection& db, BudgetSums& sums, const std::filesystem::path& owners, const WorkflowId& workflow);
std::vector<WorkflowId> all_removals(Connection& db);
void forget_removal(Connection& db, const WorkflowId& workflow);

/// A file of an older build keeps its free pages for itself …
bool gives_back_pages(Connection& db);
/// … until it is written anew, which nobody must wait for: done only where no other living process owns workflows, and left for another
/// time where it cannot be done.
bool make_it_give_back_pages(const std::filesystem::path& file, const std::filesystem::path& owners, const std::string& own_lock) noexcept;
/// Inside a transaction. Returns how many were given back; 0: there are none.
std::int64_t give_back_some_pages(Connection& db);
/// What database and log take on the disk.
std::int64_t bytes_of_state(const std::filesystem::path& file);

}  // namespace conductorai::infrastructure
