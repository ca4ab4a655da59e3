#pragma once
// Which files a model means.

#include <string_view>

namespace conductorai::agents {

/// `*` and `?` stay inside a component of the path, `**` crosses them; a pattern without "/" is for the last component alone.
bool glob_matches(std::string_view pattern, std::string_view path);

/// Whether `path` lies in `folder`; every path lies in "", "." and "/".
bool lies_in(std::string_view folder, std::string_view path);

/// Whether a folder is none of the workspace, whatever is in it: "..", "/etc".
bool lies_outside(std::string_view folder);

}  // namespace conductorai::agents
