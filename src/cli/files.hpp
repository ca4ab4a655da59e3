#pragma once
// Files the command line writes, and tools it calls.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::cli {

/// Errors: already_exists (nothing is ever overwritten), unavailable.
Result<void> write_new_file(const std::filesystem::path& file, std::string_view bytes);

/// What a program printed, when it ended with 0. Errors: not_found, unavailable (with the last line it printed to stderr).
Result<std::string> run_tool(const std::vector<std::string>& argv);

}  // namespace conductorai::cli
