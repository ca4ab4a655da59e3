#pragma once
// The `process` driver: the release's run command in the sandbox, without network, reached through a NamespaceDoor.

#include <memory>

#include "infrastructure/releases/driver.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

/// `helper`: a program whose main calls release_exec_main.
std::unique_ptr<Driver> make_process_driver(runtime::Loop& loop, std::filesystem::path state_dir, std::filesystem::path helper);

}  // namespace conductorai::infrastructure::releases
