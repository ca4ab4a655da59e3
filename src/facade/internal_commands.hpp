#pragma once
#include <optional>

namespace conductorai::facade {

/// The hidden modes in which our own binary serves as helper inside the sandbox. Call it first thing in main: it answers with an exit code
/// when argv[1] names one, and does no more than that mode needs.
std::optional<int> run_internal_command(int argc, char** argv);

}  // namespace conductorai::facade
