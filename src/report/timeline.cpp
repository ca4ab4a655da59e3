// Percentages across, pixels down: the chart is as wide as the screen and its text stays readable.

#include <algorithm>
#include <array>

#include "base/human.hpp"
#include "report/axis.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

constexpr double kRow = 26, kTop = 24, kBar = 16, kBarLeast = 0.5, kBottom = 22;
constexpr std::size_t kRoundsMax = 40;

using Rows = std::map<TaskId, std::size_t>;

double row_y(std::size_t row) {
  return kTop + kRow * static_cast<double>(row);
}

Html bands(const Page& page, const Axis& axis, double height) {
  Html out;
  const auto& rounds = page.history.rounds;
  for (std::size_t i = 0; i < std::min(rounds.size(), kRoundsMax); ++i) {
    const double from = axis.percent(rounds[i].at);
    const double to = i + 1 < rounds.size() ? axis.percent(rounds[i + 1].at) : 100;
    if (i % 2 == 1)
      out += html("<rect class=\"band\" x=\"{}%\" y=\"0\" width=\"{}%\" height=\"{}\"/>", from, std::max(to - from, 0.0), height);
    if (i > 0) out += html("<line class=\"opened\" x1=\"{}%\" x2=\"{}%\" y1=\"0\" y2=\"{}\"/>", from, from, height);
    const std::string name = "Round " + std::to_string(rounds[i].number) + (rounds[i].kind.empty() ? "" : " · " + rounds[i].kind);
    const double width = std::max(to - from, 0.0);
    out += html(
        "<svg x=\"{}%\" y=\"0\" width=\"{}%\" height=\"{}\"><title>{}</title><text class=\"round long\" x=\"5\" y=\"15\">{}</text><text "
        "class=\"round short\" x=\"4\" y=\"15\">{}</text></svg>",
        from, width, kTop, name, width < 8 ? "" : name, rounds[i].number);
  }
  return out;
}

Html bar(const Axis& axis, const Attempt& attempt, std::size_t number, std::size_t row) {
  const double from = axis.percent(attempt.start);
  const double width = std::max(axis.percent(attempt.end) - from, kBarLeast);
  const double y = row_y(row) + (kRow - kBar) / 2;
  const std::string_view glyph = attempt.look == Look::passed                                  ? "✓"
                                 : attempt.look == Look::failed || attempt.look == Look::error ? "✕"
                                                                                               : "";
  Html out = html(
      "<a href=\"#a{}\"><title>{}, round {}, attempt {}: {}, {}</title><rect class=\"bar {}\" x=\"{}%\" y=\"{}\" width=\"{}%\" "
      "height=\"{}\" rx=\"3\"/>",
      number, one_line(attempt.task.str(), 80), attempt.round, attempt.number, word(attempt.look),
      duration_text((attempt.end - attempt.start).count()), word(attempt.look), std::min(from, 100 - kBarLeast), y, width, kBar);
  if (!glyph.empty() && width >= 6) out += html("<text class=\"glyph\" x=\"{}%\" dx=\"6\" y=\"{}\">{}</text>", from, y + kBar - 4, glyph);
  out += html("</a>");
  return out;
}

/// From the task that found it to the one it went back to.
Html arrows(const Page& page, const Axis& axis, const Rows& rows) {
  Html out;
  for (const Round& round : page.history.rounds) {
    const auto from = rows.find(round.from), to = rows.find(round.target);
    if (round.kind.empty() || from == rows.end() || to == rows.end()) continue;
    const double x = axis.percent(round.at), start = row_y(from->second) + kRow / 2, end = row_y(to->second) + kRow / 2;
    out += html(
        "<g class=\"back\"><title>{} to {}</title><line x1=\"{}%\" x2=\"{}%\" y1=\"{}\" y2=\"{}\"/><circle cx=\"{}%\" cy=\"{}\" r=\"3\"/>"
        "<circle class=\"to\" cx=\"{}%\" cy=\"{}\" r=\"4\"/></g>",
        round.kind, one_line(round.target.str(), 80), x, x, start, end, x, start, x, end);
  }
  return out;
}

Html scale(const Axis& axis, double y) {
  Html out;
  for (const Axis::Tick& tick : axis.ticks()) {
    out += html("<line class=\"grid\" x1=\"{}%\" x2=\"{}%\" y1=\"{}\" y2=\"{}\"/>", tick.percent, tick.percent, kTop, y);
    out += html("<text class=\"tick {}\" x=\"{}%\" y=\"{}\">{}</text>",
                tick.percent > 90  ? "last"
                : tick.percent < 4 ? "first"
                                   : "mid",
                tick.percent, y + 15, tick.percent < 0.01 ? "0" : duration_text(tick.ms));
  }
  for (const Axis::Cut& cut : axis.cuts())
    out += html("<g class=\"cut\"><title>{} without work</title><rect x=\"{}%\" y=\"{}\" width=\"{}%\" height=\"{}\"/></g>",
                duration_text(cut.ms), cut.from, kTop, cut.to - cut.from, y - kTop);
  return out;
}

Html legend(const History& history) {
  Html out;
  for (const Look look : {Look::passed, Look::failed, Look::error, Look::running, Look::done}) {
    const bool there = std::ranges::any_of(history.attempts, [&](const Attempt& attempt) { return attempt.look == look; });
    if (there) out += html("<li><i class=\"{}\"></i>{}</li>", word(look), look == Look::failed ? "failed verdict" : word(look));
  }
  if (history.rounds.size() > 1) out += html("<li><i class=\"sent\"></i>sent back</li>");
  return html("<ul class=\"legend\">{}</ul>", out);
}

}  // namespace

Html timeline_section(const Page& page) {
  if (page.history.attempts.empty()) return {};
  const auto shown = tasks_worth_showing(page, page.material.limits.timeline_rows);
  const Axis axis(page.history);
  Rows rows;
  Html labels, bars;
  for (const std::size_t place : shown) {
    const TaskId& id = page.material.view.tasks[place].id;
    const std::size_t row = rows.size();
    rows[id] = row;
    labels += html("<li>{}</li>", task_link(page, id));
    const auto known = page.history.of_task.find(id);
    if (known == page.history.of_task.end()) continue;
    for (const std::size_t number : known->second) bars += bar(axis, page.history.attempts[number], number, row);
  }
  const double floor = row_y(rows.size());
  Html out = html(
      "<section id=\"timeline\"><h2>Timeline</h2>{}<div class=\"gantt\"><ul class=\"labels\">{}</ul><svg role=\"group\" "
      "aria-label=\"Attempts of each task over time\" width=\"100%\" height=\"{}\">{}{}{}{}</svg></div>",
      legend(page.history), labels, floor + kBottom, bands(page, axis, floor), scale(axis, floor), bars, arrows(page, axis, rows));
  if (shown.size() < page.material.view.tasks.size())
    out += html("<p class=\"note\">{} of {} tasks: what failed, was done again or took longest.</p>", shown.size(),
                grouped(static_cast<std::int64_t>(page.material.view.tasks.size())));
  out += html("</section>");
  return out;
}

}  // namespace conductorai::report
