#pragma once
// What the TestAgent asks the model.

#include <string>

#include "conductorai/task_context.hpp"

namespace conductorai::agents {

/// Whether feedback of an earlier round is aimed at this task or names it among the affected ones.
bool is_named_by_findings(const TaskAssignment& assignment);

std::string test_system_prompt();
/// The requirement, the project's files with its tests first, and findings that concern the tests. `toolchain` is its name.
task<Result<std::string>> test_prompt(TaskContext& context, Workspace& workspace, std::string toolchain);

}  // namespace conductorai::agents
