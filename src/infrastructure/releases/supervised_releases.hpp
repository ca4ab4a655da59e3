#pragma once
// The ReleaseManager of this machine: each app's releases are its supervisor's, we only ask.

#include <filesystem>
#include <memory>

#include "conductorai/release_manager.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure {

struct ReleaseOptions {
  std::filesystem::path state_dir;
  std::filesystem::path helper = "/proc/self/exe";  // a program whose main calls releases::release_exec_main and sandbox_exec_main
};

/// Makes nothing before the first `deploy`. REQUIRES: awaited on `loop`'s thread.
std::unique_ptr<ReleaseManager> make_release_manager(runtime::Loop& loop, ReleaseOptions options);

}  // namespace conductorai::infrastructure
