#include <algorithm>

#include "agents/tools/glob.hpp"
#include "agents/tools/tools.hpp"
#include "base/human.hpp"
#include "base/pattern.hpp"
#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kMatchesMax = 200;
constexpr std::size_t kLineBytesShown = 300;
constexpr std::size_t kBytesSearched = std::size_t{64} << 20;
constexpr std::size_t kBytesAtOnce = std::size_t{1} << 20;  // before others get their turn on the loop

struct Search {
  Pattern pattern;
  std::string text;
  std::size_t matches = 0;
  std::size_t bytes = 0;
  std::size_t unsearched = 0;  // files: no text, too large
};

/// Errors: invalid_argument, the pattern is too complex for a line.
Result<void> search_content(Search& search, const std::string& path, std::string_view content) {
  int number = 0;
  for (const std::string_view line : evidence::lines_of(content)) {
    ++number;
    auto found = search.pattern.found_in(line);
    if (!found) return fail(found.error());
    if (!*found) continue;
    if (++search.matches > kMatchesMax) return {};
    search.text += printable_line(path, 1'000) + ":" + std::to_string(number) + ": " + printable_line(line, kLineBytesShown) + "\n";
  }
  return {};
}

task<Result<void>> search_files(ToolSetting setting, std::vector<std::string> files, Search& search) {
  std::size_t since_pause = 0;
  for (const std::string& path : files) {
    if (search.matches > kMatchesMax || search.bytes > kBytesSearched) break;
    auto content = co_await setting.workspace->read(path);
    if (!content && content.error().code == ErrorCode::cancelled) co_return fail(content.error());
    if (!content || content->find('\0') != std::string::npos || !is_utf8(*content)) {
      ++search.unsearched;
      continue;
    }
    search.bytes += content->size();
    since_pause += content->size() + 4'096;
    if (auto searched = search_content(search, path, *content); !searched) co_return searched;
    if (since_pause < kBytesAtOnce) continue;
    since_pause = 0;
    auto slept = co_await sleep_for(setting.context->clock(), Milliseconds(0));
    if (!slept) co_return fail(slept.error());
  }
  co_return Result<void>{};
}

std::string told(Search search) {
  if (search.matches > kMatchesMax)
    search.text += "… more than " + std::to_string(kMatchesMax) + " lines match; narrow the search\n";
  else if (search.matches == 0)
    search.text = "nothing matches\n";
  if (search.bytes > kBytesSearched) search.text += "… stopped after 64 MiB of files; narrow the search\n";
  if (search.unsearched > 0) search.text += "(" + count_text(search.unsearched, "file") + " left out: no text, or too large)\n";
  return search.text;
}

task<Result<ToolAnswer>> search(ToolSetting setting, Object arguments) {
  auto pattern = Pattern::compile(text_argument(arguments, "pattern"), flag_argument(arguments, "ignore_case"));
  if (!pattern) co_return refusal(to_string(pattern.error()));
  const std::string folder = text_argument(arguments, "folder");
  if (lies_outside(folder)) co_return refusal(printable_line(folder, 200) + ": lies outside the workspace");
  const std::string files_glob = text_argument(arguments, "files");
  auto files = co_await setting.workspace->list_files();
  if (!files) co_return refusal_or_error(files.error(), ToolEffect::reads);
  std::erase_if(*files, [&](const std::string& path) {
    return (!lies_in(folder, path) && folder != path) || (!files_glob.empty() && !glob_matches(files_glob, path));
  });
  Search state{.pattern = std::move(*pattern), .text = {}};
  auto searched = co_await search_files(setting, std::move(*files), state);
  if (!searched) co_return refusal_or_error(searched.error(), ToolEffect::reads);
  co_return ToolAnswer{.text = told(std::move(state)), .attributes = {}};
}

}  // namespace

Tool search_tool() {
  return {.name = "search",
          .description = "Finds lines of the workspace's text files that match a regular expression; gives `path:line: text`.",
          .parameters = {{.name = "pattern", .required = true, .description = "a regular expression in Perl syntax, matched line by line"},
                         {.name = "folder", .description = "only files below this folder, or this one file"},
                         {.name = "files", .description = "only files that match this glob: `*.py`, `src/**`"},
                         {.name = "ignore_case", .type = ToolParameter::Type::flag, .description = "whether A is a"}},
          .effect = ToolEffect::reads,
          .perform = search};
}

}  // namespace conductorai::agents
