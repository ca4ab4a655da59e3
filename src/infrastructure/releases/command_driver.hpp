#pragma once
// The `command` driver: the user's own deploy, rollback and stop commands, in the sandbox, with the network unless `with.network` is false.

#include <memory>

#include "infrastructure/releases/platform_driver.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

/// `helper`: a program whose main calls sandbox_exec_main.
std::unique_ptr<PlatformDriver> make_command_driver(runtime::Loop& loop, std::filesystem::path state_dir, std::filesystem::path helper);

}  // namespace conductorai::infrastructure::releases
