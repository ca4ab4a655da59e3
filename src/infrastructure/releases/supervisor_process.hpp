#pragma once
// The supervisor's process: our own binary in a hidden mode, in a session of its own, child of nobody who could take it along.

#include <filesystem>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "infrastructure/releases/app_folder.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

/// Starts it unless it lives; returns when it answers calls. `helper`: a program whose main calls release_exec_main.
/// Errors: unavailable (with what it said), timeout.
task<Result<void>> start_supervisor(runtime::Loop& loop, AppFolder folder, std::filesystem::path helper);

/// Its main. `ready`: a pipe that is told "ready", "taken" (another lives) or what went wrong.
int supervisor_main(const std::filesystem::path& state_dir, const std::string& name, int ready);

/// argv[1] is "__release-supervisor" or "__release-door". `main` calls these first, before anything is initialised.
[[nodiscard]] bool is_release_exec(int argc, char** argv);
int release_exec_main(int argc, char** argv);

}  // namespace conductorai::infrastructure::releases
