#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

/// The file that `name` means: itself when it holds a "/" (relative to `working_directory`), else the first executable of that name in PATH
/// of `environment`. Errors: not_found, permission_denied (there, but not executable).
Result<std::string> find_program(const std::string& name, const std::map<std::string, std::string>& environment,
                                 const std::filesystem::path& working_directory = {});

}  // namespace conductorai::infrastructure
