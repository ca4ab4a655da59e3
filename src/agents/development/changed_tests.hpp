#pragma once
// What a workflow does to the tests that were there when it started: whoever may change them writes the verdict.

#include <string>
#include <vector>

#include "conductorai/base_agent.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai::agents {

/// The key of `with` by which a user lets a workflow change the tests that were there.
WithKey allow_test_changes_key();

/// Findings of source "integrity" on the files that `diff` (from the workflow's base to the present ones) names: those of
/// evidence::check_test_integrity, a changed choice or command of tests (check_test_command), and tests that another runner runs now.
/// Where the user allows it they are warnings, but for changes of protected paths. Errors: as Workspace::file_at.
task<Result<std::vector<Finding>>> changed_tests(TaskContext& context, Workspace& workspace, std::string diff);

}  // namespace conductorai::agents
