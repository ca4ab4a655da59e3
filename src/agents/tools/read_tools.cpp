// list_files and read_file.

#include <algorithm>

#include "agents/tools/glob.hpp"
#include "agents/tools/tools.hpp"
#include "base/human.hpp"
#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kNamesMax = 1'000;
constexpr std::size_t kNameBytesMax = 4'096;
constexpr std::int64_t kLinesDefault = 1'000;
constexpr std::int64_t kLinesMax = 20'000;
constexpr std::size_t kFileBytesShown = std::size_t{128} << 10;

task<Result<ToolAnswer>> list_files(ToolSetting setting, Object arguments) {
  const std::string folder = text_argument(arguments, "folder");
  if (lies_outside(folder)) co_return refusal(printable_line(folder, 200) + ": lies outside the workspace");
  const std::string pattern = text_argument(arguments, "pattern");
  const auto skipped = static_cast<std::size_t>(number_argument(arguments, "skip", 0));
  auto files = co_await setting.workspace->list_files();
  if (!files) co_return refusal_or_error(files.error(), ToolEffect::reads);
  std::erase_if(*files,
                [&](const std::string& path) { return !lies_in(folder, path) || (!pattern.empty() && !glob_matches(pattern, path)); });
  if (files->empty()) co_return ToolAnswer{.text = "no such files\n", .attributes = {}};
  std::string text;
  std::size_t shown = 0;
  for (std::size_t i = skipped; i < files->size() && shown < kNamesMax; ++i, ++shown)
    text += printable_line((*files)[i], kNameBytesMax) + "\n";
  const std::size_t left = files->size() - std::min(files->size(), skipped + shown);
  if (left > 0) text += "… " + count_text(left, "file") + " more; go on with skip " + std::to_string(skipped + shown) + "\n";
  if (shown == 0) text = "only " + count_text(files->size(), "file") + " match\n";
  co_return ToolAnswer{.text = std::move(text), .attributes = {}};
}

struct Excerpt {
  std::string text;
  std::int64_t first = 1, last = 0, all = 0;
};

// Whole lines from `first` on, as they stand in the file; a single line that is too long is cut.
Excerpt excerpt_of(std::string_view content, std::int64_t first, std::int64_t lines) {
  Excerpt out{.text = {}, .first = first, .last = first - 1};
  while (!content.empty()) {
    ++out.all;
    const auto end = content.find('\n');
    const std::string_view line = content.substr(0, end == std::string_view::npos ? content.size() : end + 1);
    content.remove_prefix(line.size());
    const bool wanted = out.all >= first && out.last < first + lines - 1 && out.all == out.last + 1;
    if (!wanted || out.text.size() >= kFileBytesShown) continue;
    if (out.text.size() + line.size() > kFileBytesShown && !out.text.empty()) continue;
    out.text += line.size() > kFileBytesShown ? evidence::shortened(line, kFileBytesShown) + "\n" : std::string(line);
    out.last = out.all;
  }
  return out;
}

std::string attributes_of(const std::string& path, const Excerpt& excerpt) {
  std::string quoted = printable_line(path, kNameBytesMax);
  std::ranges::replace(quoted, '"', '\'');
  return "path=\"" + quoted + "\" lines=\"" + std::to_string(excerpt.first) + "-" + std::to_string(excerpt.last) + " of " +
         std::to_string(excerpt.all) + "\"";
}

task<Result<ToolAnswer>> read_file(ToolSetting setting, Object arguments) {
  const std::string path = text_argument(arguments, "path");
  auto content = co_await setting.workspace->read(path);
  if (!content) co_return refusal_or_error(content.error(), ToolEffect::reads);
  if (content->find('\0') != std::string::npos)
    co_return refusal("this is a binary file of " + std::to_string(content->size()) + " bytes; it cannot be shown");
  if (!is_utf8(*content)) co_return refusal("this file is no UTF-8 text; look at it by a command (`od -c`, `iconv`)");
  const std::int64_t first = number_argument(arguments, "first_line", 1);
  const Excerpt excerpt = excerpt_of(*content, first, number_argument(arguments, "lines", kLinesDefault));
  if (excerpt.all == 0) co_return ToolAnswer{.text = "(the file is empty)\n", .attributes = attributes_of(path, excerpt)};
  if (excerpt.last < first) co_return refusal("the file has only " + std::to_string(excerpt.all) + " lines");
  co_return ToolAnswer{.text = excerpt.text, .attributes = attributes_of(path, excerpt)};
}

}  // namespace

Tool list_files_tool() {
  return {
      .name = "list_files",
      .description = "Lists the files of the workspace, sorted by path; ignored files are left out.",
      .parameters = {{.name = "folder", .description = "only files below this folder"},
                     {.name = "pattern", .description = "only files that match this glob: `*.py`, `src/**/test_*`; `**` crosses folders"},
                     {.name = "skip",
                      .type = ToolParameter::Type::integer,
                      .description = "how many to leave out at the beginning, to go on with a long list",
                      .low = 0,
                      .high = 10'000'000}},
      .effect = ToolEffect::reads,
      .perform = list_files};
}

Tool read_file_tool() {
  return {.name = "read_file",
          .description = "Shows a text file of the workspace, or a part of it.",
          .parameters = {{.name = "path", .required = true, .description = "relative to the workspace's root"},
                         {.name = "first_line",
                          .type = ToolParameter::Type::integer,
                          .description = "where to begin, from 1",
                          .low = 1,
                          .high = 1'000'000'000},
                         {.name = "lines",
                          .type = ToolParameter::Type::integer,
                          .description = "how many to show; 1000 where left out",
                          .low = 1,
                          .high = kLinesMax}},
          .effect = ToolEffect::reads,
          .perform = read_file};
}

}  // namespace conductorai::agents
