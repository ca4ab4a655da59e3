#pragma once
// ContainerGuard: a small process of ours that outlives the supervisor only to take its container along. An engine keeps containers for
// whoever comes back, but nobody would: what a dead supervisor leaves has no owner.

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "conductorai/result.hpp"
#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure::releases {

class ContainerGuard {
 public:
  /// `engine`: absolute path of podman or docker. `helper`: a program whose main calls release_exec_main. Errors: unavailable.
  static Result<std::unique_ptr<ContainerGuard>> start(const std::filesystem::path& helper, const std::string& engine,
                                                       const std::string& container, const std::map<std::string, std::string>& environment);
  /// The container is gone already: the guard has nothing to do any more.
  ~ContainerGuard();
  ContainerGuard(const ContainerGuard&) = delete;
  ContainerGuard& operator=(const ContainerGuard&) = delete;

 private:
  ContainerGuard(UniqueFd word, pid_t pid) : word_(std::move(word)), pid_(pid) {}

  UniqueFd word_;
  pid_t pid_;
};

/// Its main: waits at descriptor 0 for a word; where the end comes without one, removes the container.
int container_guard_main(const char* engine, const char* container);

}  // namespace conductorai::infrastructure::releases
