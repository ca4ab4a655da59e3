// Putting a parsed patch onto a file's text.

#include <algorithm>
#include <limits>

#include "agents/tools/unified_patch.hpp"
#include "base/printable.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kLinesQuoted = 6;
constexpr std::size_t kLineBytesQuoted = 200;

struct Text {
  std::vector<std::string> lines;  // without "\n"
  bool ends_with_newline = true;
  bool returns = false;  // its lines end in "\r\n"
};

Text text_of(std::string_view content) {
  Text text{.lines = {}, .ends_with_newline = content.empty() || content.ends_with('\n')};
  while (!content.empty()) {
    const auto end = content.find('\n');
    text.lines.emplace_back(content.substr(0, end));
    if (end == std::string_view::npos) break;
    content.remove_prefix(end + 1);
  }
  const auto whole = text.lines.end() - (text.ends_with_newline ? 0 : 1);  // the lines that have an end
  text.returns =
      text.lines.begin() != whole && std::all_of(text.lines.begin(), whole, [](const std::string& line) { return line.ends_with('\r'); });
  return text;
}

std::string joined(const Text& text) {
  std::string out;
  for (const std::string& line : text.lines) out += line + "\n";
  if (!text.ends_with_newline && !out.empty()) out.pop_back();
  return out;
}

// A patch written with plain line ends fits a file of "\r\n".
void with_returns(PatchHunk& hunk) {
  for (PatchLine& line : hunk.lines)
    if (!line.text.ends_with('\r')) line.text += '\r';
}

std::vector<std::string> old_side(const PatchHunk& hunk) {
  std::vector<std::string> lines;
  for (const PatchLine& line : hunk.lines)
    if (line.kind != '+') lines.push_back(line.text);
  return lines;
}

bool stands_at(const std::vector<std::string>& wanted, const std::vector<std::string>& lines, std::size_t at) {
  return at + wanted.size() <= lines.size() && std::equal(wanted.begin(), wanted.end(), lines.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string quoted(const std::vector<std::string>& lines, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < std::min(lines.size(), from + kLinesQuoted); ++i)
    text += "  " + std::to_string(i + 1) + ": " + printable_line(lines[i], kLineBytesQuoted) + "\n";
  return text.empty() ? "  (nothing)\n" : text;
}

std::unexpected<Error> no_fit(const std::string& path, std::size_t number, const std::vector<std::string>& wanted,
                              const std::vector<std::string>& lines, std::size_t near) {
  std::string expected;
  for (std::size_t i = 0; i < std::min(wanted.size(), kLinesQuoted); ++i)
    expected += "  " + printable_line(wanted[i], kLineBytesQuoted) + "\n";
  return fail(ErrorCode::invalid_argument, "hunk " + std::to_string(number) + " of " + printable_line(path, 200) +
                                               " does not fit; it expects these lines:\n" + expected + "and there stands:\n" +
                                               quoted(lines, near));
}

class Applier {
 public:
  Applier(std::string path, Text text) : path_(std::move(path)), text_(std::move(text)) {}

  Result<void> apply(PatchHunk hunk) {
    ++number_;
    if (text_.returns) with_returns(hunk);
    const std::vector<std::string> wanted = old_side(hunk);
    auto at = place_of(hunk, wanted);
    if (!at) return fail(at.error());
    std::vector<std::string> lines(text_.lines.begin(), text_.lines.begin() + static_cast<std::ptrdiff_t>(*at));
    const std::size_t old_end = *at + wanted.size();
    for (PatchLine& line : hunk.lines)
      if (line.kind != '-') lines.push_back(std::move(line.text));
    end_of_file(hunk, old_end);
    moved_ += static_cast<std::int64_t>(lines.size()) - static_cast<std::int64_t>(old_end);
    done_ = lines.size();
    lines.insert(lines.end(), text_.lines.begin() + static_cast<std::ptrdiff_t>(old_end), text_.lines.end());
    text_.lines = std::move(lines);
    return {};
  }

  [[nodiscard]] std::string result() const { return joined(text_); }

 private:
  // The nearest place behind the hunks before that holds the old side.
  Result<std::size_t> place_of(const PatchHunk& hunk, const std::vector<std::string>& wanted) {
    const auto size = static_cast<std::int64_t>(text_.lines.size());
    const std::int64_t said = hunk.old_line > 0 ? hunk.old_line - 1 + moved_ : static_cast<std::int64_t>(done_);
    const auto near = static_cast<std::size_t>(std::clamp<std::int64_t>(said, 0, size));
    if (wanted.empty()) {  // "@@ -3,0 +4,2 @@": behind line 3
      const auto behind = static_cast<std::size_t>(std::clamp<std::int64_t>(hunk.old_line > 0 ? said + 1 : size, 0, size));
      return std::max(behind, done_);
    }
    std::optional<std::size_t> best;
    int places = 0;
    for (std::size_t at = done_; at + wanted.size() <= text_.lines.size(); ++at) {
      if (!stands_at(wanted, text_.lines, at)) continue;
      ++places;
      const auto distance = [near](std::size_t place) { return place > near ? place - near : near - place; };
      if (!best || distance(at) < distance(*best)) best = at;
    }
    if (!best) return no_fit(path_, number_, wanted, text_.lines, near);
    if (hunk.old_line == 0 && places > 1)
      return fail(ErrorCode::invalid_argument, "hunk " + std::to_string(number_) + " of " + printable_line(path_, 200) + " fits at " +
                                                   std::to_string(places) + " places; say the line in its header or give more context");
    return *best;
  }

  void end_of_file(const PatchHunk& hunk, std::size_t old_end) {
    if (old_end < text_.lines.size()) return;
    bool new_says = false, old_says = false;
    for (const PatchLine& line : hunk.lines) {
      if (line.ends_file && line.kind != '-') new_says = true;
      if (line.ends_file && line.kind != '+') old_says = true;
    }
    if (new_says)
      text_.ends_with_newline = false;
    else if (old_says || old_end == 0)
      text_.ends_with_newline = true;
  }

  std::string path_;
  Text text_;
  std::size_t number_ = 0;
  std::size_t done_ = 0;    // lines before it are settled
  std::int64_t moved_ = 0;  // by the hunks so far
};

}  // namespace

Result<std::optional<std::string>> apply_patch(const FilePatch& patch, const std::optional<std::string>& before) {
  const std::string shown = printable_line(patch.path, 200);
  if (patch.creates && before) return fail(ErrorCode::invalid_argument, shown + " is there already, but the patch adds it");
  if (!patch.creates && !before) return fail(ErrorCode::invalid_argument, shown + " is not there");
  Applier applier(patch.path, text_of(before.value_or("")));
  for (const PatchHunk& hunk : patch.hunks)
    if (auto applied = applier.apply(hunk); !applied) return fail(applied.error());
  std::string after = applier.result();
  if (!patch.deletes) return std::optional(std::move(after));
  if (!patch.hunks.empty() && !after.empty())
    return fail(ErrorCode::invalid_argument, "the patch deletes " + shown + " and does not take all its lines away");
  return std::optional<std::string>{};
}

}  // namespace conductorai::agents
