#pragma once
// What a definition must keep for the core to run it, whoever made it. The loader says the same with line and column. Private to core.

#include "conductorai/definition.hpp"
#include "conductorai/result.hpp"

namespace conductorai::core {

/// Errors: invalid_argument, the task's id in `where`.
Result<void> check_definition(const WorkflowDefinition& definition);

}  // namespace conductorai::core
