#include "report/line_chart.hpp"

#include <algorithm>
#include <cmath>

#include "base/human.hpp"

namespace conductorai::report {

namespace {

constexpr double kHeight = 72, kTop = 8;
constexpr std::size_t kPiecesMax = 400, kMarksMax = 50;

/// Where a moment and a value are on the page: across in per cent, down in pixels.
struct Scale {
  double length = 1, low = 0, high = 1;

  explicit Scale(const LineChart& chart) {
    const auto value = [](const Moment& point) { return point.value; };
    length = std::max(chart.points.back().at_ms, 1.0);
    const double least = std::ranges::min(chart.points, {}, value).value;
    const double most = std::ranges::max(chart.points, {}, value).value;
    low = std::min({0.0, least, chart.min.value_or(0)});
    high = std::max({most, chart.max.value_or(most), chart.min.value_or(most), low + 1e-9});
    high += (high - low) * 0.12;
  }
  [[nodiscard]] double x(double at_ms) const { return 1 + std::clamp(at_ms / length, 0.0, 1.0) * 98; }
  [[nodiscard]] double y(double value) const { return kTop + (1 - (value - low) / (high - low)) * (kHeight - kTop); }
};

/// At most so many pieces: of a long window the largest value of each stretch, so that no peak is lost.
std::vector<Moment> thinned(const std::vector<Moment>& points) {
  const std::size_t each = (points.size() + kPiecesMax - 1) / kPiecesMax;
  std::vector<Moment> out;
  for (std::size_t at = 0; at < points.size(); at += each) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>(std::min(at + each, points.size()));
    out.push_back(*std::max_element(begin, end, [](const Moment& a, const Moment& b) { return a.value < b.value; }));
  }
  return out;
}

Html line_of(const LineChart& chart, const Scale& scale) {
  const auto points = thinned(chart.points);
  Html out;
  for (std::size_t i = 1; i < points.size(); ++i)
    out += html("<line class=\"value\" x1=\"{}%\" y1=\"{}\" x2=\"{}%\" y2=\"{}\"><title>{} after {}</title></line>",
                scale.x(points[i - 1].at_ms), scale.y(points[i - 1].value), scale.x(points[i].at_ms), scale.y(points[i].value),
                chart.words(points[i].value), duration_text(static_cast<std::int64_t>(points[i].at_ms)));
  if (points.size() == 1)
    out += html("<circle class=\"value\" cx=\"{}%\" cy=\"{}\" r=\"2.5\"/>", scale.x(points[0].at_ms), scale.y(points[0].value));
  return out;
}

Html limit_line(const LineChart& chart, const Scale& scale, const std::optional<double>& limit, std::string_view word) {
  if (!limit) return {};
  const double y = scale.y(*limit);
  return html(
      "<line class=\"slo\" x1=\"0\" x2=\"100%\" y1=\"{}\" y2=\"{}\"/><text class=\"slo\" x=\"100%\" dx=\"-4\" y=\"{}\">{} {}</text>", y, y,
      y < 20 ? y + 13 : y - 4, word, chart.words(*limit));
}

Html marks_of(const LineChart& chart, const Scale& scale) {
  Html out;
  for (std::size_t i = 0; i < std::min(chart.marks.size(), kMarksMax); ++i) {
    const double x = scale.x(chart.marks[i].at_ms);
    out += html("<line class=\"mark\" x1=\"{}%\" x2=\"{}%\" y1=\"{}\" y2=\"{}\"><title>{}</title></line>", x, x, kTop, kHeight,
                one_line(chart.marks[i].text, 200));
  }
  return out;
}

Html figures(const LineChart& chart) {
  const auto [least, most] = std::ranges::minmax_element(chart.points, [](const Moment& a, const Moment& b) { return a.value < b.value; });
  const bool held = (!chart.max || most->value <= *chart.max) && (!chart.min || least->value >= *chart.min);
  const std::string words =
      least->value == most->value ? chart.words(most->value) : chart.words(least->value) + " to " + chart.words(most->value);
  Html marks;
  for (std::size_t i = 0; i < std::min<std::size_t>(chart.marks.size(), 3); ++i)
    marks += html(" · <span class=\"poor\">{}</span>", one_line(chart.marks[i].text, 200));
  if (!chart.min && !chart.max) return html("<p class=\"meta\">{}{}</p>", words, marks);
  return html("<p class=\"meta\"><span class=\"{}\">{}</span>{}</p>", held ? "good" : "poor", words, marks);
}

}  // namespace

Html draw(const LineChart& chart) {
  const Html title = html("<h4>{} <span class=\"kind\">{}</span></h4>", one_line(chart.title, 120), one_line(chart.kind, 20));
  if (chart.points.empty()) return {};
  const Scale scale(chart);
  const Html ticks = html("<text class=\"tick first\" x=\"2\" y=\"{}\">0</text><text class=\"tick last\" x=\"100%\" y=\"{}\">{}</text>",
                          kHeight + 14, kHeight + 14, duration_text(std::llround(scale.length)));
  return html(
      "<figure>{}{}<svg class=\"probe lines\" role=\"img\" aria-label=\"{} over {}\" width=\"100%\" height=\"{}\"><line class=\"axis\" "
      "x1=\"0\" x2=\"100%\" y1=\"{}\" y2=\"{}\"/>{}{}{}{}{}</svg></figure>",
      title, figures(chart), one_line(chart.title, 80), duration_text(std::llround(scale.length)), kHeight + 18, kHeight, kHeight,
      marks_of(chart, scale), limit_line(chart, scale, chart.max, "at most"), limit_line(chart, scale, chart.min, "at least"),
      line_of(chart, scale), ticks);
}

}  // namespace conductorai::report
