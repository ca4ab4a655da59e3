#include "infrastructure/workspace/workspace_path.hpp"

#include <algorithm>
#include <ranges>

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kPathMax = 4000;  // leaves room for the worktree's own folder below PATH_MAX
constexpr std::size_t kNameMax = 255;

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;
};

/// Lenient: a byte that starts no sequence is itself.
CodePoint decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 1 || text.size() < length) return {lead, 1};
  char32_t value = lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  return {value, length};
}

/// Code points that a file system or a reader may drop (Unicode Default_Ignorable_Code_Point).
bool is_ignorable(char32_t c) {
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C},   {0x115F, 0x1160},   {0x17B4, 0x17B5},  {0x180B, 0x180F},
      {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},  {0xFEFF, 0xFEFF},
      {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFF8}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
  return std::ranges::any_of(kRanges, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

/// Lower case, without ignorable code points; full-width letters as their plain twins.
std::string fold(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    auto [value, length] = decode(name);
    if (value >= 0xFF01 && value <= 0xFF5E) value = value - 0xFF01 + 0x21;
    if (value < 0x80)
      out += static_cast<char>(value >= 'A' && value <= 'Z' ? value + 32 : value);
    else if (!is_ignorable(value))
      out += name.substr(0, length);
    name.remove_prefix(length);
  }
  return out;
}

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> out;
  for (auto part : std::views::split(path, '/')) {
    std::string_view name(part.begin(), part.end());
    if (!name.empty() && name != ".") out.push_back(name);
  }
  return out;
}

/// Wildcards of one component, with the usual one-star backtracking: linear but for the last star.
bool matches_component(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      n += pattern[p] == '?' ? decode(name.substr(n)).length : 1;
      ++p;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

bool is_git_name(std::string_view name) {
  std::string folded = fold(name);
  std::string_view plain = folded;
  if (auto stream = plain.find(':'); stream != std::string_view::npos) plain = plain.substr(0, stream);
  while (!plain.empty() && (plain.back() == ' ' || plain.back() == '.')) plain.remove_suffix(1);
  return plain == ".git" || plain == "git~1";
}

Result<std::vector<std::string>> split_workspace_path(std::string_view path) {
  auto refuse = [&](const char* why) { return fail(ErrorCode::permission_denied, why, std::string(path.substr(0, 200))); };
  if (path.find('\0') != std::string_view::npos) return fail(ErrorCode::permission_denied, "a path must not hold a NUL byte");
  if (path.starts_with('/')) return refuse("a path must be relative to the workspace");
  if (path.size() > kPathMax) return fail(ErrorCode::invalid_argument, "the path is too long", std::string(path.substr(0, 80)) + "…");
  std::vector<std::string> out;
  for (std::string_view name : components(path)) {
    if (name == "..") return refuse("a path must not leave the workspace");
    if (name.size() > kNameMax)
      return fail(ErrorCode::invalid_argument, "a name in the path is too long", std::string(name.substr(0, 80)) + "…");
    // A backslash separates where the file system of a later checkout is NTFS.
    for (auto part : std::views::split(name, '\\')) {
      std::string_view piece(part.begin(), part.end());
      if (is_git_name(piece)) return refuse("a path must not name .git");
      if (piece == ".." && piece.size() != name.size()) return refuse("a path must not leave the workspace");
    }
    out.emplace_back(name);
  }
  if (out.empty() || path.ends_with('/')) return fail(ErrorCode::invalid_argument, "the path names no file", std::string(path));
  return out;
}

bool matches_glob(std::string_view pattern, std::string_view path) {
  const auto want = components(pattern);
  const auto have = components(path);
  if (want.empty()) return false;
  // reach[i]: the first i components of the pattern can cover what was read so far. A component at a time keeps it polynomial.
  std::vector<bool> reach(want.size() + 1, false);
  reach[0] = true;
  auto skip_stars = [&] {
    for (std::size_t i = 0; i < want.size(); ++i)
      if (reach[i] && want[i] == "**") reach[i + 1] = true;
  };
  skip_stars();
  const bool names_folder = want.back().find_first_of("*?") == std::string_view::npos;
  for (std::string_view name : have) {
    if (names_folder && reach[want.size()]) return true;
    std::vector<bool> next(want.size() + 1, false);
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (!reach[i]) continue;
      if (want[i] == "**")
        next[i] = true;
      else if (matches_component(want[i], name))
        next[i + 1] = true;
    }
    reach = std::move(next);
    skip_stars();
  }
  return reach[want.size()];
}

bool is_protected(const std::vector<std::string>& patterns, std::string_view path) {
  return std::ranges::any_of(patterns, [path](const std::string& pattern) { return matches_glob(pattern, path); });
}

}  // namespace conductorai::infrastructure
