#pragma once
// A phase drawn in text: a line a task, lanes at the left for what needs what.

#include <optional>
#include <string>
#include <vector>

#include "definition/plan.hpp"

namespace conductorai::definition {

struct GraphRow {
  std::string lanes;                  // UTF-8, two columns a lane, no blanks at the end
  std::size_t columns = 0;            // that `lanes` takes
  const PlannedTask* task = nullptr;  // null: a fork, a join, or the gate
  bool gate = false;
};

/// Every task after what it needs, last the gate. Empty where it would take more lanes than a terminal has room for.
std::vector<GraphRow> draw(const PlannedPhase& phase);

}  // namespace conductorai::definition
