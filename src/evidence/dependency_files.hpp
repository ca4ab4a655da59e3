#pragma once
// Dependency files: manifests and lock files, which say what fetching a project's dependencies brings.

#include <string>
#include <string_view>
#include <vector>

namespace conductorai::evidence {

/// Whether a file of this path is a manifest or a lock file.
bool is_dependency_file(std::string_view path);

/// Those of `files` (a workspace's, "/"-separated), in their order, of any folder. Empty where no lock file is among them: then nothing
/// pins what a fetch brings, and it may bring something else each time.
std::vector<std::string> dependency_files(const std::vector<std::string>& files);

}  // namespace conductorai::evidence
