#include "agents/tools/glob.hpp"

#include <algorithm>
#include <ranges>
#include <vector>

namespace conductorai::agents {
namespace {

// reach[p]: the first p characters of the pattern can match what was read of the path so far. Linear in pattern times path, whatever the
// stars.
bool matches(std::string_view pattern, std::string_view path) {
  std::vector<bool> reach(pattern.size() + 1);
  const auto past_stars = [&] {
    for (std::size_t p = 0; p < pattern.size(); ++p) {
      if (!reach[p] || pattern[p] != '*') continue;
      reach[p + 1] = true;
      if (pattern.substr(p).starts_with("**/")) reach[p + 3] = true;  // "**/" also stands for no folder at all
    }
  };
  reach[0] = true;
  past_stars();
  for (const char c : path) {
    std::vector<bool> next(pattern.size() + 1);
    for (std::size_t p = 0; p < pattern.size(); ++p) {
      if (!reach[p]) continue;
      const bool doubled = pattern.substr(p).starts_with("**") || (p > 0 && pattern[p] == '*' && pattern[p - 1] == '*');
      if (pattern[p] == '*' && (c != '/' || doubled)) next[p] = true;
      if ((pattern[p] == '?' && c != '/') || pattern[p] == c) next[p + 1] = true;
    }
    reach = std::move(next);
    past_stars();
  }
  return reach[pattern.size()];
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  if (pattern.find('/') == std::string_view::npos) return matches(pattern, path.substr(path.rfind('/') + 1));
  return matches(pattern, path);
}

bool lies_in(std::string_view folder, std::string_view path) {
  while (folder.starts_with("./")) folder.remove_prefix(2);
  while (folder.ends_with('/')) folder.remove_suffix(1);
  if (folder.empty() || folder == ".") return true;
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool lies_outside(std::string_view folder) {
  if (folder.starts_with('/') && folder.find_first_not_of('/') != std::string_view::npos) return true;
  return std::ranges::any_of(std::views::split(folder, '/'), [](const auto& part) { return std::string_view(part) == ".."; });
}

}  // namespace conductorai::agents
