#include "definition/plan_graph.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace conductorai::definition {

namespace {

constexpr std::size_t kLanesMax = 16;
constexpr std::size_t kTasksMax = 500;
constexpr std::size_t kGate = static_cast<std::size_t>(-1);

/// The tasks of a phase by number, with who comes after each; what follows from other needs is left out.
struct Needs {
  std::vector<const PlannedTask*> tasks;
  std::vector<std::vector<std::size_t>> after;  // kGate: nothing in this phase

  explicit Needs(const PlannedPhase& phase) {
    std::map<TaskId, std::size_t> number;
    for (const auto& level : phase.levels)
      for (const PlannedTask& task : level) {
        number[task.id] = tasks.size();
        tasks.push_back(&task);
      }
    after.resize(tasks.size());
    std::vector<std::set<std::size_t>> before(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      std::set<std::size_t> own;
      for (const TaskId& need : tasks[i]->needs)
        if (const auto known = number.find(need); known != number.end()) own.insert(known->second);
      for (const std::size_t need : own) before[i].insert(before[need].begin(), before[need].end());
      for (const std::size_t need : own)
        if (!before[i].contains(need)) after[need].push_back(i);
      before[i].insert(own.begin(), own.end());
    }
    for (auto& following : after)
      if (following.empty()) following.push_back(kGate);
  }
};

class Drawing {
 public:
  explicit Drawing(const PlannedPhase& phase) : needs_(phase) {}

  std::vector<GraphRow> rows() {
    for (std::size_t i = 0; i < needs_.tasks.size(); ++i) {
      const std::size_t lane = join(i);
      put(lane, "●", needs_.tasks[i], false);
      fork(lane, needs_.after[i]);
      if (lanes_.size() > kLanesMax) return {};
    }
    put(join(kGate), "◆", nullptr, true);
    return std::move(rows_);
  }

 private:
  using Lane = std::optional<std::size_t>;  // the task it leads to

  std::size_t free_lane(std::size_t from) {
    for (std::size_t i = from; i < lanes_.size(); ++i)
      if (!lanes_[i]) return i;
    lanes_.emplace_back();
    return lanes_.size() - 1;
  }

  /// Brings all lanes that lead to a task together in the first of them.
  std::size_t join(std::size_t task) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < lanes_.size(); ++i)
      if (lanes_[i] == task) found.push_back(i);
    if (found.empty()) return free_lane(0);
    if (found.size() > 1) bridge(found, "┴", "╯");
    for (const std::size_t lane : found) lanes_[lane].reset();
    return found.front();
  }

  void fork(std::size_t lane, const std::vector<std::size_t>& after) {
    std::vector<std::size_t> taken{lane};
    lanes_[lane] = after.front();
    for (std::size_t i = 1; i < after.size(); ++i) {
      taken.push_back(free_lane(lane + 1));
      lanes_[taken.back()] = after[i];
    }
    std::ranges::sort(taken);
    if (taken.size() > 1) bridge(taken, "┬", "╮");
  }

  /// "├─┼─╮": from the first of `ends` to the last, over the lanes between.
  void bridge(const std::vector<std::size_t>& ends, const char* middle, const char* last) {
    GraphRow row;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      const bool end = std::ranges::binary_search(ends, i);
      const bool inside = i > ends.front() && i < ends.back();
      const char* mark = i == ends.front()  ? "├"
                         : i == ends.back() ? last
                         : end              ? middle
                         : lanes_[i]        ? (inside ? "┼" : "│")
                         : inside           ? "─"
                                            : " ";
      add(row, mark, i >= ends.front() && i < ends.back() ? "─" : " ");
    }
    finish(std::move(row));
  }

  void put(std::size_t lane, const char* mark, const PlannedTask* task, bool gate) {
    GraphRow row{.lanes = {}, .columns = 0, .task = task, .gate = gate};
    for (std::size_t i = 0; i < lanes_.size(); ++i) add(row, i == lane ? mark : lanes_[i] ? "│" : " ", " ");
    finish(std::move(row));
  }

  static void add(GraphRow& row, const char* mark, const char* gap) {
    row.lanes += mark;
    row.lanes += gap;
    row.columns += 2;
  }
  void finish(GraphRow row) {
    while (row.lanes.ends_with(' ')) {
      row.lanes.pop_back();
      --row.columns;
    }
    rows_.push_back(std::move(row));
  }

  Needs needs_;
  std::vector<Lane> lanes_;
  std::vector<GraphRow> rows_;
};

}  // namespace

std::vector<GraphRow> draw(const PlannedPhase& phase) {
  std::size_t tasks = 0;
  for (const auto& level : phase.levels) tasks += level.size();
  if (tasks > kTasksMax) return {};
  return Drawing(phase).rows();
}

}  // namespace conductorai::definition
