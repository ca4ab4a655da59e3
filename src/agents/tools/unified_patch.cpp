#include "agents/tools/unified_patch.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/printable.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

using Lines = std::vector<std::string_view>;

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

// Unlike evidence::lines_of it keeps "\r": a file's line ends are part of what a patch must fit.
Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string_view without_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "a/src/x.py<TAB>2024-01-01" → "src/x.py"; "/dev/null" → "".
std::string path_in(std::string_view header, std::string_view prefix) {
  std::string_view path = evidence::trimmed(header.substr(0, header.find('\t')));
  if (path.size() > 1 && path.starts_with('"') && path.ends_with('"')) path = path.substr(1, path.size() - 2);
  if (path == "/dev/null") return {};
  if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
  return std::string(path);
}

std::string plain_path(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().generic_string();
}

class PatchParser {
 public:
  explicit PatchParser(std::string_view text) : lines_(split(text)) {}

  Result<std::vector<FilePatch>> parse() {
    while (at_ < lines_.size()) {
      const std::string_view line = without_return(lines_[at_]);
      if (line.starts_with("rename ") || line.starts_with("copy "))
        return wrong("renames and copies are not taken: delete and add the file");
      if (line.starts_with("GIT binary patch") || line.starts_with("Binary files ")) return wrong("binary patches are not taken");
      if (line.starts_with("*** Begin Patch")) return wrong("this is no unified diff; begin each file with `--- a/path` and `+++ b/path`");
      if (!at_file_header()) {
        if (line.starts_with("@@") && !files_.empty()) {
          take_hunk();
        } else if (line.starts_with("@@")) {
          return wrong("a hunk stands before any `--- a/path` and `+++ b/path`");
        } else {
          ++at_;  // "diff --git", "index", modes, prose
        }
        continue;
      }
      if (auto begun = take_file_header(); !begun) return fail(begun.error());
    }
    if (files_.empty())
      return wrong("there is no patch in it: begin each file with `--- a/path` and `+++ b/path`, then hunks `@@ -1,2 +1,3 @@`");
    for (const FilePatch& file : files_)
      if (file.hunks.empty() && !file.deletes && !file.creates)
        return wrong("no hunk follows the header of " + printable_line(file.path, 200));
    return std::move(files_);
  }

 private:
  [[nodiscard]] bool at_file_header() const {
    return at_ + 1 < lines_.size() && lines_[at_].starts_with("--- ") && lines_[at_ + 1].starts_with("+++ ");
  }

  Result<void> take_file_header() {
    const std::string before = path_in(without_return(lines_[at_]).substr(4), "a/");
    const std::string after = path_in(without_return(lines_[at_ + 1]).substr(4), "b/");
    at_ += 2;
    if (before.empty() && after.empty()) return wrong("a file's header names no path");
    FilePatch file{.path = plain_path(after.empty() ? before : after), .creates = before.empty(), .deletes = after.empty(), .hunks = {}};
    if (!before.empty() && !after.empty() && before != after)
      return wrong("a file's header names two paths (" + printable_line(before, 200) + ", " + printable_line(after, 200) +
                   "): renames are not taken");
    if (std::ranges::find(files_, file.path, &FilePatch::path) != files_.end())
      return wrong(printable_line(file.path, 200) + " stands twice in the patch: put its hunks below one header");
    files_.push_back(std::move(file));
    return {};
  }

  // "@@ -12,3 +12,4 @@ def f():"; bare "@@" says nothing of the place.
  void take_hunk() {
    PatchHunk hunk;
    std::string_view header = lines_[at_++];
    std::int64_t removed = 0;
    if (const auto minus = header.find('-'); minus != std::string_view::npos) {
      const char* const end = header.data() + header.size();
      const auto number = std::from_chars(header.data() + minus + 1, end, hunk.old_line);
      if (number.ptr < end && *number.ptr == ',') std::from_chars(number.ptr + 1, end, removed);
    }
    std::int64_t old_lines = 0;
    while (at_ < lines_.size() && !ends_hunk(old_lines, removed)) {
      take_line(hunk);
      if (!hunk.lines.empty() && hunk.lines.back().kind != '+') ++old_lines;
    }
    // Blank lines between hunks are no context.
    while (!hunk.lines.empty() && hunk.lines.back().kind == '~') hunk.lines.pop_back();
    for (PatchLine& line : hunk.lines)
      if (line.kind == '~') line.kind = ' ';
    if (!hunk.lines.empty()) files_.back().hunks.push_back(std::move(hunk));
  }

  [[nodiscard]] bool ends_hunk(std::int64_t old_lines, std::int64_t old_said) const {
    const std::string_view line = lines_[at_];
    if (line.starts_with("@@") || line.starts_with("diff --git ")) return true;
    if (at_file_header() &&
        (old_lines >= old_said || lines_[at_ + 1].starts_with("+++ b/") || lines_[at_ + 1].starts_with("+++ /dev/null")))
      return true;
    const std::string_view shown = without_return(line);
    return !shown.empty() && shown[0] != ' ' && shown[0] != '+' && shown[0] != '-' && shown[0] != '\\';
  }

  void take_line(PatchHunk& hunk) {
    const std::string_view line = lines_[at_++];
    if (line.starts_with('\\')) {
      if (!hunk.lines.empty()) hunk.lines.back().ends_file = true;
      return;
    }
    // Models leave the blank out where the line is empty; '~' until it is known not to be a gap after the hunk.
    if (without_return(line).empty())
      hunk.lines.push_back({.kind = '~', .text = std::string(line)});
    else
      hunk.lines.push_back({.kind = line[0], .text = std::string(line.substr(1))});
  }

  Lines lines_;
  std::size_t at_ = 0;
  std::vector<FilePatch> files_;
};

}  // namespace

Result<std::vector<FilePatch>> parse_patch(std::string_view text) {
  return PatchParser(text).parse();
}

}  // namespace conductorai::agents
