#pragma once
// What a path inside a workspace may be, and which paths are protected.

#include <string>
#include <string_view>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

/// The components of a relative path; "." and doubled slashes are dropped.
/// Errors: permission_denied (absolute, "..", `.git` in any disguise, NUL), invalid_argument (empty, over-long).
Result<std::vector<std::string>> split_workspace_path(std::string_view path);

/// Whether some file system takes this name for `.git`: case, trailing dots and spaces, streams, the short name, ignorable code points.
bool is_git_name(std::string_view name);

/// Globs over "/"-separated paths: `*` and `?` stay inside a component, `**` crosses them. A pattern that ends in a plain
/// name also covers what lies below it.
bool matches_glob(std::string_view pattern, std::string_view path);

/// Whether any of `patterns` covers `path`.
bool is_protected(const std::vector<std::string>& patterns, std::string_view path);

}  // namespace conductorai::infrastructure
