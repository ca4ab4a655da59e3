#pragma once
// Workflows and journal rows in SQLite. Each function runs inside a transaction (writes) or on the reading connection; all throw
// SqliteFailure.

#include <unordered_map>

#include "conductorai/state_manager.hpp"
#include "infrastructure/state/owner_lock.hpp"
#include "infrastructure/state/sqlite_connection.hpp"

namespace conductorai::infrastructure {

/// Of the workflows that this process appends to, so that their rows in `workflows` need not be looked up by their ids. A guess, which may
/// come from a transaction that was rolled back: what is found by it is compared with the id.
using WorkflowNumbers = std::unordered_map<WorkflowId, std::int64_t>;

Result<void> append_row(Connection& db, OwnerLock& lock, WorkflowNumbers& numbers, const AppendRequest& request);
Result<Ownership> claim_workflow(Connection& db, OwnerLock& lock, const std::filesystem::path& owners, const WorkflowId& workflow,
                                 const std::string& owner);
bool release_workflow(Connection& db, const OwnerLock& lock, WorkflowNumbers& numbers, const WorkflowId& workflow);

std::vector<JournalRow> load_rows(Connection& db, const WorkflowId& workflow, std::uint64_t from_seq, int limit);
Result<std::vector<WorkflowSummary>> list_workflows(Connection& db, const std::filesystem::path& owners, const WorkflowFilter& filter);
Result<WorkflowSummary> get_workflow(Connection& db, const std::filesystem::path& owners, const WorkflowId& workflow);

}  // namespace conductorai::infrastructure
