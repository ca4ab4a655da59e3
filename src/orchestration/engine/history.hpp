#pragma once
// A workflow's past: its rows decoded and folded. Restart after a crash is nothing but this and `outstanding`.

#include <memory>
#include <vector>

#include "conductorai/conductorai.hpp"
#include "conductorai/state_manager.hpp"
#include "core/codec.hpp"
#include "core/state.hpp"
#include "orchestration/engine/pinned_definitions.hpp"

namespace conductorai::orchestration {

struct History {
  core::WorkflowState state;
  std::string last_sha256;  // of the last row's body, what the next row points back to
  WorkflowStarted start;    // of a workflow that is about to start
  std::filesystem::path repo;
};
using HistoryPtr = std::unique_ptr<History>;  // never null

/// Reads all rows, checks sequence and hash chain, folds. Errors: not_found (no rows), data_corrupted, unsupported (newer version).
task<Result<HistoryPtr>> load_history(StateManager& states, PinnedDefinitions& definitions, WorkflowId workflow);

/// All that the journal says, checked in the same way. Errors: as load_history.
task<Result<std::vector<Event>>> load_events(StateManager& states, WorkflowId workflow);

/// One record an event, as watchers and `events` see them.
std::vector<EventRecord> event_records(const core::Row& row);

}  // namespace conductorai::orchestration
