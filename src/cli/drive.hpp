#pragma once
// One workflow brought to where it ends or waits: progress, questions to the person at the terminal, closing table, exit code.

#include <functional>
#include <memory>

#include "cli/progress.hpp"
#include "cli/session.hpp"

namespace conductorai::cli {

/// A session of an existing state that tells `progress` what happens as soon as there is one: what it shows of a workflow is known only
/// once the session is open. `progress` outlives the session. Errors: of Session::open.
Result<std::unique_ptr<Session>> open_session(const Globals& globals, const std::unique_ptr<Progress>& progress);

/// Starts or resumes; events go to the given watcher.
using Launch = std::function<Result<WorkflowView>(std::function<void(const EventRecord&)>)>;

/// Runs `launch` on the session, asks about open approvals on a terminal and goes on, and tells the end. Returns the exit code.
int drive(Session& session, Progress& progress, bool json, const Launch& launch);

}  // namespace conductorai::cli
