#pragma once
// Dockerfiles built by the machine's container engine, where the user allows it: the engine works outside our sandbox.

#include <filesystem>
#include <functional>
#include <string>

#include "agents/devops/validation.hpp"
#include "conductorai/task_context.hpp"

namespace conductorai::agents {

struct ImageRequest {
  std::filesystem::path folder;  // the build context
  std::string dockerfile;        // relative to it
  std::string tag;               // of an image that is removed again
  Milliseconds timeout{0};
};
struct ImageOutcome {
  std::string engine;   // "podman", "docker"; empty: none answers
  bool built = false;   //
  std::string printed;  // the end of it
};
/// Errors: cancelled, resource_exhausted.
using BuildImage = std::function<task<Result<ImageOutcome>>(ImageRequest)>;

/// Builds each Dockerfile that passed its parser; what a build says becomes part of the validation. Without an engine `depth` says so.
task<Result<void>> build_images(TaskContext& context, Workspace& workspace, BuildImage build, Validation& validation);

}  // namespace conductorai::agents
