#include "report/layout.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace conductorai::report {

namespace {

constexpr int kSweeps = 6;

/// A node or a place where an edge passes a layer; the latter have needs and dependents as nodes do.
struct Slot {
  std::size_t layer = 0;
  bool passing = false;
  std::vector<std::size_t> up, down;
  double across = 0;
};

std::vector<std::size_t> layers_of(const Graph& graph) {
  std::vector<std::size_t> order(graph.nodes.size()), layer(graph.nodes.size(), 0), open(graph.nodes.size(), 0);
  std::vector<std::vector<std::size_t>> dependents(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const std::size_t need : graph.nodes[i].needs) {
      dependents[need].push_back(i);
      ++open[i];
    }
  order.clear();
  for (std::size_t i = 0; i < open.size(); ++i)
    if (open[i] == 0) order.push_back(i);
  for (std::size_t next = 0; next < order.size(); ++next)
    for (const std::size_t dependent : dependents[order[next]]) {
      // Inside a group only: the group itself sets the first layer.
      const bool same = graph.nodes[dependent].group == graph.nodes[order[next]].group;
      layer[dependent] = std::max(layer[dependent], same ? layer[order[next]] + 1 : 0);
      if (--open[dependent] == 0) order.push_back(dependent);
    }
  std::map<std::size_t, std::size_t> depth;
  for (std::size_t i = 0; i < layer.size(); ++i) depth[graph.nodes[i].group] = std::max(depth[graph.nodes[i].group], layer[i] + 1);
  std::size_t before = 0;
  for (auto& [group, layers] : depth) {
    const std::size_t own = layers;
    layers = before;
    before += own;
  }
  for (std::size_t i = 0; i < layer.size(); ++i) layer[i] += depth[graph.nodes[i].group];
  return layer;
}

class Layers {
 public:
  explicit Layers(Graph& graph) : graph_(graph) {
    const auto layer = layers_of(graph);
    for (const std::size_t one : layer) slots_.push_back({.layer = one});
    for (std::size_t to = 0; to < graph.nodes.size(); ++to)
      for (const std::size_t from : graph.nodes[to].needs) join(from, to);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (rows_.size() <= slots_[i].layer) rows_.resize(slots_[i].layer + 1);
      rows_[slots_[i].layer].push_back(i);
    }
    for (auto& row : rows_) place(row);
  }

  void sort() {
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      const bool downward = sweep % 2 == 0;
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        auto& row = rows_[downward ? i : rows_.size() - 1 - i];
        order(row, downward);
        place(row);
      }
    }
  }

  void fill() {
    graph_.layers = static_cast<double>(rows_.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      graph_.nodes[i].at = point(i);
      graph_.width = std::max(graph_.width, 2 * std::abs(slots_[i].across) + 1);
    }
    for (std::size_t i = 0; i < graph_.edges.size(); ++i)
      for (const std::size_t slot : ways_[i]) {
        graph_.edges[i].by.push_back(point(slot));
        graph_.width = std::max(graph_.width, 2 * std::abs(slots_[slot].across) + 0.5);
      }
  }

 private:
  void join(std::size_t from, std::size_t to) {
    std::vector<std::size_t> way;
    std::size_t last = from;
    for (std::size_t layer = slots_[from].layer + 1; layer < slots_[to].layer; ++layer) {
      slots_.push_back({.layer = layer, .passing = true});
      link(last, slots_.size() - 1);
      last = slots_.size() - 1;
      way.push_back(last);
    }
    link(last, to);
    graph_.edges.push_back({.from = from, .to = to, .by = {}});
    ways_.push_back(std::move(way));
  }
  void link(std::size_t above, std::size_t below) {
    slots_[above].down.push_back(below);
    slots_[below].up.push_back(above);
  }
  [[nodiscard]] double middle(std::size_t slot, bool downward) const {
    const auto& near = downward ? slots_[slot].up : slots_[slot].down;
    if (near.empty()) return slots_[slot].across;
    double sum = 0;
    for (const std::size_t other : near) sum += slots_[other].across;
    return sum / static_cast<double>(near.size());
  }
  /// By the middle of the neighbours; where that is equal, as it was.
  void order(std::vector<std::size_t>& row, bool downward) const {
    std::vector<std::tuple<double, std::size_t, std::size_t>> keys;
    for (std::size_t i = 0; i < row.size(); ++i) keys.emplace_back(middle(row[i], downward), i, row[i]);
    std::ranges::sort(keys);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = std::get<2>(keys[i]);
  }
  /// Side by side around the middle; where only an edge passes, half the room does.
  void place(const std::vector<std::size_t>& row) {
    const auto room = [&](std::size_t slot) { return slots_[slot].passing ? 0.6 : 1.0; };
    const double whole = std::accumulate(row.begin(), row.end(), 0.0, [&](double sum, std::size_t slot) { return sum + room(slot); });
    double at = -whole / 2;
    for (const std::size_t slot : row) {
      slots_[slot].across = at + room(slot) / 2;
      at += room(slot);
    }
  }
  [[nodiscard]] Point point(std::size_t slot) const { return {static_cast<double>(slots_[slot].layer), slots_[slot].across}; }

  Graph& graph_;
  std::vector<Slot> slots_;
  std::vector<std::vector<std::size_t>> rows_, ways_;
};

}  // namespace

void drop_implied_needs(Graph& graph) {
  const auto layer = layers_of(graph);
  std::vector<std::size_t> order(graph.nodes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t node) { return layer[node]; });
  std::vector<std::vector<bool>> above(graph.nodes.size(), std::vector<bool>(graph.nodes.size(), false));
  for (const std::size_t node : order) {
    auto& needs = graph.nodes[node].needs;
    const auto all = needs;
    std::erase_if(needs, [&](std::size_t need) { return std::ranges::any_of(all, [&](std::size_t other) { return above[other][need]; }); });
    for (const std::size_t need : all) {
      above[node][need] = true;
      for (std::size_t i = 0; i < above[need].size(); ++i)
        if (above[need][i]) above[node][i] = true;
    }
  }
}

void lay_out(Graph& graph) {
  if (graph.nodes.empty()) return;
  Layers layers(graph);
  layers.sort();
  layers.fill();
}

}  // namespace conductorai::report
