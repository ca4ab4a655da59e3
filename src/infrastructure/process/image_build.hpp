#pragma once
// podman and docker: which one answers, and a trial build of a Dockerfile whose image is removed again.

#include <filesystem>
#include <map>
#include <string>

#include "infrastructure/process/process.hpp"

namespace conductorai::infrastructure {

/// Of `all`, what podman and docker need to find their service, their storage and the user's registries.
std::map<std::string, std::string> engine_environment(const std::map<std::string, std::string>& all);

struct FoundEngine {
  std::string name;     // "podman", "docker"; empty: none
  std::string why_not;  // of those that were asked, when there is none
};
/// The first that answers; a client without its service is no engine. `wanted`: only that one is asked. Errors: cancelled,
/// resource_exhausted.
task<Result<FoundEngine>> find_engine(runtime::Loop& loop, std::map<std::string, std::string> environment, std::string wanted = {});

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
