#pragma once
// The `container` driver: the release's Dockerfile built by podman or docker, and run by it in a container that ends with the supervisor.

#include <map>
#include <memory>

#include "infrastructure/releases/driver.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

/// `environment`: the supervisor's, of which the engine gets what engines need. `helper`: a program whose main calls release_exec_main.
std::unique_ptr<Driver> make_container_driver(runtime::Loop& loop, std::map<std::string, std::string> environment,
                                              std::filesystem::path helper);

/// The image of a release; another app's release of the same id has another.
std::string image_of(const Release& release, const std::filesystem::path& files);

}  // namespace conductorai::infrastructure::releases
