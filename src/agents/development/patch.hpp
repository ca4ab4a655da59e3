#pragma once
// Reading a unified diff of git: which files it changes, and the lines it adds.

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace conductorai::agents {

/// New line numbers (1-based) that the diff adds or changes, by path; deleted files have none. Paths are unquoted. A file that git takes
/// for no text is left out.
std::map<std::string, std::set<int>> changed_lines(std::string_view diff);

/// Whether the file was there before, by path of every changed file that has lines, and of those that git takes for no text.
std::map<std::string, bool> changed_files(std::string_view diff);

}  // namespace conductorai::agents
