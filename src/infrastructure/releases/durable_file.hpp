#pragma once
// Files that survive a power cut, and copies of trees.

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure::releases {

/// Replaces `file` (mode 0600) as a whole: whoever reads sees the old bytes or the new ones, after a power cut too.
/// Errors: resource_exhausted (disk full), permission_denied, unavailable.
Result<void> write_durably(const std::filesystem::path& file, std::string_view bytes);

/// Copies folders, regular files (with their modes) and symlinks (as they are); nothing else. `to` appears under its name only when all of
/// it is on the disk. Errors: not_found (`from` is no folder), resource_exhausted (disk full; more than `bytes_max`), permission_denied.
Result<void> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to, std::int64_t bytes_max);

/// An error for what errno says about `path`.
std::unexpected<Error> file_error(const std::string& what, const std::filesystem::path& path, int error);

}  // namespace conductorai::infrastructure::releases
