#pragma once
// The clean-up of a workflow that is being cancelled: tasks whose `if` asks always() or cancelled(), one after another, once all others
// were stopped. Private to core.

#include "core/decision.hpp"

namespace conductorai::core {

/// The tasks to run, in definition order: of phases that were reached, not ended, whose condition holds now that the workflow is
/// cancelled. One that ran already is taken up again.
[[nodiscard]] std::vector<TaskId> cleanup_tasks(const Decision& decision);

/// The end of one whose own timeout passed.
[[nodiscard]] WorkflowFailed failed_by_deadline(const std::string& reason);

/// Nothing of a workflow that is being cancelled runs any more: its clean-up begins, or it ends.
void after_stop(Decision& decision);

/// The end of a clean-up of which nothing runs. False: something still does.
bool end_cleanup(Decision& decision);

}  // namespace conductorai::core
