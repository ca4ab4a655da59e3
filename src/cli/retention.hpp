#pragma once
// Removing ended workflows: by `prune`, and after a run where the configuration says so.

#include "cli/session.hpp"

namespace conductorai::cli {

/// As ConductorAI::prune by the configuration's rule; their reports go too.
Result<PruneReport> prune(Session& session, bool dry_run);

/// After a run. What cannot be removed now is a warning.
void apply_retention(Session& session);

}  // namespace conductorai::cli
