#pragma once
// Files below a folder that generated code may have filled: no symlink is followed, nothing outside is reached, nothing blocks.

#include <filesystem>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "infrastructure/process/work_area.hpp"

namespace conductorai::infrastructure {

using PathParts = std::vector<std::string>;  // from split_workspace_path

inline constexpr std::int64_t kReadBytesMax = std::int64_t{8} << 20;

/// Errors: not_found, permission_denied (a symlink on the way or at the end), invalid_argument (no regular file), resource_exhausted.
Result<std::string> read_below(const std::filesystem::path& root, const PathParts& path);
/// Replaces the file as a whole, keeping its mode; missing folders are made. Errors: as read_below.
Result<void> write_below(const std::filesystem::path& root, const PathParts& path, std::string_view bytes, const WorkArea& area);
/// Removes a file or the symlink itself, then folders it left empty. Errors: as read_below.
Result<void> remove_below(const std::filesystem::path& root, const PathParts& path);

/// Removes a folder and all below it, whatever its depth and modes. Idempotent. Errors: unavailable.
Result<void> remove_tree(const std::filesystem::path& folder);
/// The same, but keeps the folder itself.
Result<void> empty_folder(const std::filesystem::path& folder);

/// Relative paths of all entries below `root` that some file system takes for `.git`, sorted.
/// Errors: invalid_argument (folders nested deeper than git can record), unavailable.
Result<std::vector<std::string>> find_git_entries(const std::filesystem::path& root);

}  // namespace conductorai::infrastructure
