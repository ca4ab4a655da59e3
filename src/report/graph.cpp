#include <algorithm>

#include "report/layout.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

/// A task, or a foreach parent with all its items.
struct Node {
  std::size_t place = 0;
  std::size_t items = 0;  // of a foreach
};

struct Drawing {
  Graph graph;
  std::vector<Node> nodes;
  std::map<TaskId, std::size_t> by_id;
  bool tall = false;  // downwards, for narrow screens; else to the right

  static constexpr double kWidth = 132, kHeight = 44, kMargin = 12, kLane = 9;
  [[nodiscard]] double along_step() const { return tall ? kHeight + 34 : kWidth + 32; }
  [[nodiscard]] double across_step() const { return tall ? kWidth + 14 : kHeight + 22; }
  /// Centre of a place, in pixels.
  [[nodiscard]] std::pair<double, double> centre(Point at) const {
    const double along = kMargin + (tall ? kHeight : kWidth) / 2 + at.along * along_step();
    const double across = kMargin + (graph.width / 2 + at.across) * across_step();
    return tall ? std::pair{across, along} : std::pair{along, across};
  }
  /// Where lines may run beside all tasks: below, or at the right.
  [[nodiscard]] double outside() const { return kMargin + graph.width * across_step() + 2; }
  [[nodiscard]] std::pair<double, double> size() const {
    const double along = 2 * kMargin + (tall ? kHeight : kWidth) + (graph.layers - 1) * along_step();
    const double across = 2 * kMargin + graph.width * across_step();
    return tall ? std::pair{across, along} : std::pair{along, across};
  }
};

/// "id[3]" belongs to "id" where there is one.
std::optional<TaskId> parent_of(const TaskId& id) {
  const std::size_t at = id.str().find('[');
  if (at == std::string::npos || !id.str().ends_with(']')) return std::nullopt;
  return TaskId(id.str().substr(0, at));
}

void add_nodes(const Page& page, Drawing& drawing) {
  const auto& tasks = page.material.view.tasks;
  for (std::size_t place = 0; place < tasks.size(); ++place) {
    const auto parent = parent_of(tasks[place].id);
    const auto known = parent ? drawing.by_id.find(*parent) : drawing.by_id.end();
    if (known != drawing.by_id.end()) {
      ++drawing.nodes[known->second].items;
      continue;
    }
    drawing.by_id[tasks[place].id] = drawing.nodes.size();
    drawing.nodes.push_back({.place = place});
    drawing.graph.nodes.push_back({.needs = {}, .group = static_cast<std::size_t>(tasks[place].phase), .at = {}});
  }
}

void add_needs(const Page& page, Drawing& drawing) {
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i)
    for (const TaskId& need : page.material.view.tasks[drawing.nodes[i].place].needs)
      if (const auto known = drawing.by_id.find(need); known != drawing.by_id.end()) drawing.graph.nodes[i].needs.push_back(known->second);
}

Html edge(const Drawing& drawing, const GraphEdge& edge) {
  auto [x, y] = drawing.centre(drawing.graph.nodes[edge.from].at);
  (drawing.tall ? y : x) += (drawing.tall ? Drawing::kHeight : Drawing::kWidth) / 2;
  Html path = html("M{} {}", x, y);
  const auto go = [&](double to_x, double to_y) {
    const double half_x = (x + to_x) / 2, half_y = (y + to_y) / 2;
    path += drawing.tall ? html("C{} {} {} {} {} {}", x, half_y, to_x, half_y, to_x, to_y)
                         : html("C{} {} {} {} {} {}", half_x, y, half_x, to_y, to_x, to_y);
    x = to_x;
    y = to_y;
  };
  for (const Point& point : edge.by) {
    const auto [by_x, by_y] = drawing.centre(point);
    go(by_x, by_y);
  }
  auto [end_x, end_y] = drawing.centre(drawing.graph.nodes[edge.to].at);
  (drawing.tall ? end_y : end_x) -= (drawing.tall ? Drawing::kHeight : Drawing::kWidth) / 2 + 3;
  go(end_x, end_y);
  return html("<path class=\"edge\" marker-end=\"url(#{})\" d=\"{}\"/>", drawing.tall ? "tip-tall" : "tip-wide", path);
}

/// Out at the side, along it and in again, with round corners: it touches no other task.
Html around(const Drawing& drawing, std::size_t from, std::size_t to, double side) {
  const auto [x, y] = drawing.centre(drawing.graph.nodes[from].at);
  const auto [to_x, to_y] = drawing.centre(drawing.graph.nodes[to].at);
  const double w = Drawing::kWidth / 2, h = Drawing::kHeight / 2, r = 6;
  if (drawing.tall)
    return html("M{} {}H{}Q{} {} {} {}V{}Q{} {} {} {}H{}", x + w, y, side - r, side, y, side, y - r, to_y + r, side, to_y, side - r, to_y,
                to_x + w + 3);
  return html("M{} {}V{}Q{} {} {} {}H{}Q{} {} {} {}V{}", x, y + h, side - r, x, side, x - r, side, to_x + r, to_x, side, to_x, side - r,
              to_y + h + 3);
}

/// Rounds that went back, a line for each pair of tasks.
Html back_edges(const Page& page, const Drawing& drawing) {
  std::map<std::pair<std::size_t, std::size_t>, std::pair<int, std::string>> ways;
  for (const Round& round : page.history.rounds) {
    const auto from = drawing.by_id.find(parent_of(round.from).value_or(round.from));
    const auto to = drawing.by_id.find(parent_of(round.target).value_or(round.target));
    if (round.kind.empty() || round.kind == "retry" || from == drawing.by_id.end() || to == drawing.by_id.end()) continue;
    auto& [count, kind] = ways[{from->second, to->second}];
    ++count;
    kind = round.kind;
  }
  Html out;
  double side = drawing.outside();
  for (const auto& [way, told] : ways) {
    out += html("<path class=\"edge back\" marker-end=\"url(#{})\" d=\"{}\"><title>{} × {}</title></path>",
                drawing.tall ? "back-tall" : "back-wide", around(drawing, way.first, way.second, side), told.second, told.first);
    side += Drawing::kLane;
  }
  return out;
}

std::string fitted(const std::string& text, std::size_t columns) {
  return one_line(text, columns);
}

Html box(const Page& page, const Drawing& drawing, std::size_t i) {
  const TaskView& task = page.material.view.tasks[drawing.nodes[i].place];
  const auto [x, y] = drawing.centre(drawing.graph.nodes[i].at);
  const double left = x - Drawing::kWidth / 2, top = y - Drawing::kHeight / 2;
  const std::string_view look = word(look_of(task));
  std::string below = std::string(look);
  if (task.round > 1) below += " · round " + std::to_string(task.round);
  if (drawing.nodes[i].items > 0) below += " · " + std::to_string(drawing.nodes[i].items) + " items";
  return html(
      "<a href=\"#t{}\" class=\"node {}\"><title>{}, {}, {}: {}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/><rect "
      "class=\"mark\" x=\"{}\" y=\"{}\" width=\"4\" height=\"{}\" rx=\"2\"/><text x=\"{}\" y=\"{}\">{}</text><text class=\"sub\" x=\"{}\" "
      "y=\"{}\">{}</text></a>",
      drawing.nodes[i].place, look, one_line(task.id.str(), 80), task.agent.str(), to_string(task.phase), look, left, top, Drawing::kWidth,
      Drawing::kHeight, left + 6, top + 8, Drawing::kHeight - 16, left + 17, y - 3, fitted(task.id.str(), 16), left + 17, y + 13,
      fitted(below, 20));
}

Html tip(std::string_view id, std::string_view kind) {
  return html(
      "<marker id=\"{}\" class=\"{}\" viewBox=\"0 0 8 8\" refX=\"6\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker>",
      id, kind);
}

Html drawn(const Page& page, Drawing drawing, bool tall) {
  drawing.tall = tall;
  auto [width, height] = drawing.size();
  (tall ? width : height) += Drawing::kLane * static_cast<double>(std::min<std::size_t>(page.history.rounds.size() - 1, 8));
  Html inside = html("<defs>{}{}</defs>", tip(tall ? "tip-tall" : "tip-wide", "tip"), tip(tall ? "back-tall" : "back-wide", "tip back"));
  for (const GraphEdge& one : drawing.graph.edges) inside += edge(drawing, one);
  inside += back_edges(page, drawing);
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) inside += box(page, drawing, i);
  return html(
      "<div class=\"scroll graph {}\" tabindex=\"0\"><svg role=\"group\" aria-label=\"Tasks and what they need\" viewBox=\"0 0 {} {}\" "
      "width=\"{}\" "
      "height=\"{}\">{}</svg></div>",
      tall          ? "tall"
      : width > 740 ? "wide big"
                    : "wide",
      width, height, width, height, inside);
}

}  // namespace

Html graph_section(const Page& page) {
  Drawing drawing;
  add_nodes(page, drawing);
  if (drawing.nodes.size() < 2) return {};
  if (drawing.nodes.size() > page.material.limits.graph_nodes)
    return html(
        "<section id=\"graph\"><h2>Graph</h2><p class=\"note\">{} tasks are too many to draw. <code>conductorai plan FILE</code> lists "
        "them by "
        "level.</p></section>",
        grouped(static_cast<std::int64_t>(drawing.nodes.size())));
  add_needs(page, drawing);
  drop_implied_needs(drawing.graph);
  lay_out(drawing.graph);
  return html("<section id=\"graph\"><h2>Graph</h2>{}{}</section>", drawn(page, drawing, false), drawn(page, drawing, true));
}

}  // namespace conductorai::report
