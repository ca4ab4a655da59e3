#include "agents/monitoring/log_search.hpp"

#include <set>

#include "base/pattern.hpp"
#include "base/printable.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kTailBytes = 16'000;
constexpr std::size_t kLineBytes = 2'000;  // of a line, what a pattern is held against
constexpr std::size_t kShownBytes = 500;
constexpr std::size_t kMatchesOfPattern = 5;

std::string tail(std::string_view log) {
  if (log.size() <= kTailBytes) return printable_text(log, kTailBytes * 4);
  std::string_view last = log.substr(log.size() - kTailBytes);
  if (const auto line = last.find('\n'); line != std::string_view::npos && line + 1 < last.size()) last.remove_prefix(line + 1);
  return printable_text(last, kTailBytes * 4);
}

}  // namespace

void search_log(std::string_view log, const std::vector<std::string>& patterns, WindowRecord& record) {
  record.log_tail = tail(log);
  if (patterns.empty()) return;
  const auto lines = evidence::lines_of(log);
  for (const std::string& pattern : patterns) {
    std::set<std::string_view> kept;  // a line that comes again says nothing new
    for (const std::string_view line : lines) {
      auto found = pattern_found(pattern, line.substr(0, kLineBytes));
      // A pattern that is too complex for a line says nothing about it; it was checked when the task was read.
      if (!found || !*found) continue;
      ++record.log_lines_matched;
      if (kept.size() < kMatchesOfPattern && kept.insert(line).second)
        record.log_matches.push_back({.pattern = pattern, .line = printable_line(line, kShownBytes)});
    }
  }
}

}  // namespace conductorai::agents
