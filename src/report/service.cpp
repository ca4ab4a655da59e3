#include "report/service.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/human.hpp"
#include "report/line_chart.hpp"

namespace conductorai::report {

namespace {

constexpr std::size_t kLinesShown = 20;

std::string bytes_words(double bytes) {
  return size_text(static_cast<std::int64_t>(bytes));
}
std::string cores_words(double cores) {
  return fmt::format("{:.2f} cores", cores);
}
std::string plain_words(double number) {
  return fmt::format("{:.6g}", number);
}

/// Where it was started again or found gone; of a stretch without it, its beginning.
std::vector<LineChart::Mark> marks_of(const std::vector<ProcessLook>& looks) {
  std::vector<LineChart::Mark> out;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    const std::string when = " after " + duration_text(static_cast<std::int64_t>(looks[i].at_ms));
    if (i > 0 && looks[i].restarts > looks[i - 1].restarts) out.push_back({.at_ms = looks[i].at_ms, .text = "restarted" + when});
    if (!looks[i].alive && (i == 0 || looks[i - 1].alive))
      out.push_back({.at_ms = looks[i].at_ms, .text = "not there" + when + (looks[i].error.empty() ? "" : ": " + looks[i].error)});
  }
  return out;
}

std::vector<Moment> memory_of(const std::vector<ProcessLook>& looks) {
  std::vector<Moment> out;
  for (const ProcessLook& look : looks)
    if (look.alive && look.rss_bytes > 0) out.push_back({.at_ms = look.at_ms, .value = look.rss_bytes});
  return out;
}

/// From look to look; one that was started again counts from nothing.
std::vector<Moment> cores_of(const std::vector<ProcessLook>& looks) {
  std::vector<Moment> out;
  for (std::size_t i = 1; i < looks.size(); ++i) {
    const double time = looks[i].at_ms - looks[i - 1].at_ms, used = looks[i].cpu_ms - looks[i - 1].cpu_ms;
    if (looks[i].alive && time > 0 && used >= 0 && looks[i].cpu_ms > 0) out.push_back({.at_ms = looks[i].at_ms, .value = used / time});
  }
  return out;
}

}  // namespace

Html process_charts(const Samples& samples) {
  if (samples.process.empty()) return {};
  const auto marks = marks_of(samples.process);
  Html out = draw({.title = "Memory", .kind = "process", .points = memory_of(samples.process), .marks = marks, .words = bytes_words});
  out += draw({.title = "Processor", .kind = "process", .points = cores_of(samples.process), .marks = marks, .words = cores_words});
  if (!out.empty() || marks.empty()) return out;
  Html items;  // it was never there: nothing to draw
  for (const auto& mark : marks) items += html("<li>{}</li>", one_line(mark.text, 300));
  return html("<figure><h4>Process</h4><ul class=\"errors\">{}</ul></figure>", items);
}

Html metric_charts(const Probe& probe) {
  Html out;
  for (const Metric& metric : probe.metrics)
    out +=
        draw({.title = metric.name, .kind = "metric", .points = metric.points, .min = metric.min, .max = metric.max, .words = plain_words});
  return out;
}

Html log_lines(const Samples& samples) {
  if (samples.log_matches.empty()) return {};
  Html items;
  for (std::size_t i = 0; i < std::min(samples.log_matches.size(), kLinesShown); ++i)
    items += html("<li><code>{}</code> <span class=\"kind\">{}</span></li>", one_line(samples.log_matches[i].line, 500),
                  one_line(samples.log_matches[i].pattern, 80));
  return html("<h4>Lines of the log that must not be there: {}</h4><ul class=\"errors\">{}</ul>",
              static_cast<std::int64_t>(samples.log_lines_matched), items);
}

}  // namespace conductorai::report
