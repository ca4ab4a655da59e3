#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "base/human.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

constexpr std::size_t kRowsMax = 200;

std::string usd_text(std::int64_t micros) {
  return micros == 0 ? "–" : fmt::format("{:.4f}", static_cast<double>(micros) / 1e6);
}

Html row(const Html& name, const Usage& usage) {
  return html(
      "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
      "<td class=\"n\">{}</td></tr>",
      name, grouped(usage.calls), grouped(usage.input_tokens), grouped(usage.output_tokens), usd_text(usage.usd_micros),
      usage.wall_ms == 0 ? "–" : duration_text(usage.wall_ms),
      usage.cached_calls + usage.unknown_calls == 0 ? "–" : fmt::format("{} / {}", usage.cached_calls, usage.unknown_calls));
}

/// From the ledger, which knows of calls whose attempt never ended as well.
std::map<TaskId, Usage> by_task(const std::vector<StepRecord>& steps) {
  std::map<TaskId, Usage> out;
  for (const StepRecord& step : steps) {
    Usage usage = step.usage;
    if (step.kind != "llm") usage = {.wall_ms = step.usage.wall_ms};
    out[step.id.attempt.task] += usage;
  }
  return out;
}

}  // namespace

Html usage_section(const Page& page) {
  const auto known = by_task(page.material.steps);
  if (known.empty()) return {};
  std::vector<std::pair<TaskId, Usage>> rows(known.begin(), known.end());
  std::ranges::sort(rows, std::ranges::greater{}, [](const auto& row) {
    const Usage& usage = row.second;
    return std::tuple(usage.usd_micros, usage.input_tokens + usage.output_tokens, usage.wall_ms, row.first);
  });
  Html body;
  for (std::size_t i = 0; i < std::min(rows.size(), kRowsMax); ++i) body += row(task_link(page, rows[i].first), rows[i].second);
  if (rows.size() > kRowsMax) body += html("<tr><td class=\"dim\" colspan=\"7\">and {} more tasks</td></tr>", rows.size() - kRowsMax);
  return html(
      "<section id=\"usage\"><h2>Usage</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Task</th><th "
      "class=\"n\">Calls</th><th "
      "class=\"n\">Tokens in</th><th class=\"n\">out</th><th class=\"n\">USD</th><th class=\"n\">Calls and commands</th><th "
      "class=\"n\">From record / unknown</th></tr></thead><tbody>{}</tbody><tfoot>{}</tfoot></table></div></section>",
      body, row(html("Together"), page.material.view.usage));
}

}  // namespace conductorai::report
