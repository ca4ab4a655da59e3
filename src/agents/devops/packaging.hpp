#pragma once
// Packaging: what stands in the workspace becomes a bundle with its sums, bill of materials and provenance, all kept as artifacts.

#include <cstdint>
#include <string>

#include "agents/base/build_check.hpp"
#include "agents/devops/statements.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai::agents {

struct Package {
  BundleName name;
  ArtifactRef bundle;
  std::size_t files = 0;
  std::string run;  // the command that starts the service; empty: none is known
};

/// Errors: as make_bundle and TaskContext::save_artifact.
task<Result<Package>> make_package(TaskContext& context, Workspace& workspace, BuildCheck build, std::int64_t bytes_max);

}  // namespace conductorai::agents
