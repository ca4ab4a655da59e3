#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

/// All of our own environment, by name.
std::map<std::string, std::string> own_environment();

/// The file that `name` means: itself when it holds a "/" (relative to `working_directory`), else the first executable of that name in PATH
/// of `environment`. Errors: not_found, permission_denied (there, but not executable).
Result<std::string> find_program(const std::string& name, const std::map<std::string, std::string>& environment,
                                 const std::filesystem::path& working_directory = {});

}  // namespace conductorai::infrastructure
