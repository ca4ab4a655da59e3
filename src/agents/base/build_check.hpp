#pragma once
// The toolchain's build as evidence: what an attempt's files come to when the project is built with them.

#include <optional>
#include <string>
#include <vector>

#include "conductorai/task_context.hpp"

namespace conductorai::agents {

struct BuildCheck {
  std::string toolchain;             // its name
  std::string build, run;            // its commands; empty: it has none
  std::optional<Evidence> evidence;  // nothing to run, nothing to cite
  std::vector<Finding> findings;     // empty: it passed
  std::vector<std::string> files;    // the workspace's, before the build
};

/// Prepares and builds in the sandbox. What that leaves behind is no part of the change: the files are set back. A build that plants a
/// repository is refused: evidence "integrity". Errors: as ToolchainRun.
task<Result<BuildCheck>> check_build(TaskContext& context, Workspace& workspace);

}  // namespace conductorai::agents
