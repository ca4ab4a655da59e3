#include "agents/development/patch.hpp"

#include <algorithm>
#include <charconv>

#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

// Git quotes unusual names as C strings: "b/\303\244 \"x\"".
std::string unquoted(std::string_view name) {
  if (name.size() < 2 || name.front() != '"') return std::string(name.substr(0, name.find('\t')));
  std::string out;
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    if (name[i] != '\\' || i + 2 >= name.size()) {
      out += name[i];
      continue;
    }
    const char c = name[++i];
    if (c >= '0' && c <= '3' && i + 3 < name.size()) {
      out += static_cast<char>((c - '0') * 64 + (name[i + 1] - '0') * 8 + (name[i + 2] - '0'));
      i += 2;
    } else {
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
  }
  return out;
}

std::string path_of(std::string_view rest) {
  std::string path = unquoted(rest);
  if (path == "/dev/null") return {};
  return path.size() > 2 ? path.substr(2) : path;  // a/ or b/
}

struct Hunk {
  int old_left = 0, new_left = 0, line = 0;
};

// "@@ -12,3 +12,5 @@"
std::optional<Hunk> hunk_of(std::string_view line) {
  if (!line.starts_with("@@ -")) return std::nullopt;
  line.remove_prefix(4);
  Hunk hunk{.old_left = 1, .new_left = 1, .line = 0};
  if (!evidence::take_number(line)) return std::nullopt;
  if (line.starts_with(',')) {
    line.remove_prefix(1);
    hunk.old_left = evidence::take_number(line).value_or(0);
  }
  if (!line.starts_with(" +")) return std::nullopt;
  line.remove_prefix(2);
  hunk.line = evidence::take_number(line).value_or(0);
  if (line.starts_with(',')) {
    line.remove_prefix(1);
    hunk.new_left = evidence::take_number(line).value_or(0);
  }
  return hunk;
}

// "diff --git a/x b/x", renames being off.
std::string path_of_header(std::string_view line) {
  line.remove_prefix(std::string_view("diff --git ").size());
  return path_of(line.substr(0, line.size() / 2));
}

struct FileDiff {
  bool was_there = true;
  bool text = false;
  std::set<int> lines;
};

std::map<std::string, FileDiff> read_diff(std::string_view diff) {
  std::map<std::string, FileDiff> files;
  std::string before, path;
  Hunk hunk;
  for (const std::string_view line : evidence::lines_of(diff)) {
    if (hunk.old_left > 0 || hunk.new_left > 0) {  // inside a hunk even "--- a/x" is content
      if (line.starts_with('+')) {
        files[path].lines.insert(hunk.line++);
        --hunk.new_left;
      } else if (line.starts_with('-')) {
        --hunk.old_left;
      } else if (!line.starts_with('\\')) {
        ++hunk.line;
        --hunk.old_left;
        --hunk.new_left;
      }
      continue;
    }
    if (line.starts_with("diff --git ")) path = path_of_header(line);
    if (line.starts_with("Binary files ")) files[path].was_there = !line.starts_with("Binary files /dev/null ");
    if (line.starts_with("--- ")) before = path_of(line.substr(4));
    if (line.starts_with("+++ ")) {
      path = path_of(line.substr(4));
      if (path.empty()) path = before;
      files[path] = {.was_there = !before.empty(), .text = true, .lines = {}};
    }
    if (auto opened = hunk_of(line)) hunk = *opened;
  }
  return files;
}

}  // namespace

std::map<std::string, std::set<int>> changed_lines(std::string_view diff) {
  std::map<std::string, std::set<int>> lines;
  for (auto& [path, file] : read_diff(diff))
    if (file.text) lines.emplace(path, std::move(file.lines));
  return lines;
}

std::map<std::string, bool> changed_files(std::string_view diff) {
  std::map<std::string, bool> files;
  for (const auto& [path, file] : read_diff(diff)) files.emplace(path, file.was_there);
  return files;
}

}  // namespace conductorai::agents
