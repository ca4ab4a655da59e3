#pragma once
// A trial build of a Dockerfile by podman or docker: the image is removed again.

#include <filesystem>
#include <map>
#include <string>

#include "infrastructure/process/process.hpp"

namespace conductorai::infrastructure {

struct ImageBuild {
  std::filesystem::path folder;  // the build context
  std::string dockerfile;        // relative to it
  std::string tag;
  Milliseconds timeout{0};
};
struct ImageBuilt {
  std::string engine;   // "podman", "docker"; empty: none is installed, or none answers
  bool built = false;   //
  std::string printed;  // the end of it
};

/// Takes the first engine that answers. Of `environment` it is given only what engines need; the build sees nothing of it.
/// Errors: cancelled (after the build is gone), resource_exhausted.
task<Result<ImageBuilt>> build_image(runtime::Loop& loop, std::map<std::string, std::string> environment, ImageBuild build);

}  // namespace conductorai::infrastructure
