#pragma once
// The linters that are present, run in the sandbox on the files that changed.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "conductorai/task_context.hpp"

namespace conductorai::agents {

/// Findings of sources "linter:NAME" on changed lines only: what was there before is not this change's fault. Severity error only for
/// what cannot work (syntax, undefined names, a linter's own errors); everything else is a warning. A linter that is not installed or
/// ends in an error of its own gives none. Errors: as TaskContext::run.
task<Result<std::vector<Finding>>> run_linters(TaskContext& context, std::map<std::string, std::set<int>> changed);

}  // namespace conductorai::agents
