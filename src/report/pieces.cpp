#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "report/sections.hpp"

namespace conductorai::report {

namespace {

constexpr std::size_t kMessageLine = 220;

/// "tests/test_x.py:20 · test", a line of its own.
Html origin_of(const Finding& finding) {
  std::string place = one_line(finding.file, 160);
  if (!place.empty() && finding.line > 0) place += ":" + std::to_string(finding.line);
  if (place.empty() && finding.source.empty()) return {};
  return html("<div class=\"meta\">{}{}{}</div>", place.empty() ? Html() : html("<code>{}</code>", place),
              place.empty() || finding.source.empty() ? "" : " · ", one_line(finding.source, 60));
}

Html message_of(const Finding& finding) {
  const std::string_view text = finding.message;
  const std::size_t end = text.find('\n');
  const std::string first = one_line(text.substr(0, end), kMessageLine);
  const bool whole = (end == std::string_view::npos || end + 1 >= text.size()) && text.size() <= kMessageLine;
  if (whole) return html("<span class=\"message\">{}</span>", first);
  return html("<details class=\"message\"><summary>{}</summary><pre class=\"text\" tabindex=\"0\">{}</pre></details>", first,
              text.substr(0, 8192));
}

/// "passed", "failed" or nothing of the sort.
std::string_view sign_of(const Evidence& evidence) {
  if (evidence.value && evidence.kind == "exit_code") return *evidence.value == 0 ? "passed" : "failed";
  if (evidence.failed) return *evidence.failed == 0 ? "passed" : "failed";
  return "done";
}

std::string_view diff_class(std::string_view line) {
  if (line.starts_with("+++") || line.starts_with("---")) return "f";
  if (line.starts_with('+')) return "a";
  if (line.starts_with('-')) return "d";
  if (line.starts_with("@@")) return "h";
  if (line.starts_with("diff ") || line.starts_with("index ") || line.starts_with("new file") || line.starts_with("deleted file") ||
      line.starts_with("similarity ") || line.starts_with("rename "))
    return "f";
  return "";
}

}  // namespace

Html pill(std::string_view look, std::string_view text) {
  return html("<span class=\"pill {}\">{}</span>", look, text);
}

Html task_link(const Page& page, const TaskId& id) {
  const auto at = page.index.find(id);
  if (at == page.index.end()) return html("<b>{}</b>", one_line(id.str(), 80));
  return html("<a href=\"#t{}\">{}</a>", at->second, one_line(id.str(), 80));
}

Html findings_list(const std::vector<Finding>& findings, std::size_t limit) {
  if (findings.empty()) return {};
  Html items;
  for (std::size_t i = 0; i < std::min(limit, findings.size()); ++i) {
    const Finding& finding = findings[i];
    items += html("<li><span class=\"sev {}\">{}</span><div>{}{}</div></li>", to_string(finding.severity), to_string(finding.severity),
                  message_of(finding), origin_of(finding));
  }
  if (findings.size() > limit) items += html("<li class=\"dim\">and {} more</li>", findings.size() - limit);
  return html("<ul class=\"findings\">{}</ul>", items);
}

Html evidence_list(const Page& page, const std::vector<Evidence>& evidence) {
  if (evidence.empty()) return {};
  Html items;
  for (const Evidence& one : evidence) {
    const std::string text = one.summary.empty() && one.value ? fmt::format("{}", *one.value) : one.summary;
    items += html("<li class=\"{}\"><span class=\"kind\">{}</span> {} {}</li>", sign_of(one), one_line(one.kind, 40), one_line(text),
                  page.shelf.link(one.artifact));
  }
  return html("<ul class=\"evidence\">{}</ul>", items);
}

Html diff_lines(std::string_view text) {
  Html out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::string_view kind = diff_class(line);
    out += kind.empty() ? html("<span>{}\n</span>", line) : html("<span class=\"{}\">{}\n</span>", kind, line);
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return out;
}

std::string time_text(Timestamp at) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3 + (number < 0 ? 1U : 0U); at -= 3) digits.insert(at - 3, "\u202F");
  return digits;
}

}  // namespace conductorai::report
