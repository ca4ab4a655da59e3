#pragma once
// Axis: time as a timeline shows it. Long spells without any work are cut, so that a night of waiting leaves the work visible.

#include <vector>

#include "report/history.hpp"

namespace conductorai::report {

class Axis {
 public:
  struct Cut {
    double from = 0, to = 0;  // percent
    std::int64_t ms = 0;
  };
  struct Tick {
    double percent = 0;
    std::int64_t ms = 0;  // since the begin
  };

  explicit Axis(const History& history);
  /// Where an instant stands, 0 to 100.
  [[nodiscard]] double percent(Timestamp at) const;
  [[nodiscard]] std::vector<Cut> cuts() const;
  /// At most eight, at round amounts, none inside a cut, none too close to its neighbour.
  [[nodiscard]] std::vector<Tick> ticks() const;

 private:
  struct Piece {
    std::int64_t start = 0, end = 0;  // ms since the begin
    double width = 0;                 // ms as drawn
    bool idle = false;
  };
  [[nodiscard]] double drawn(std::int64_t ms) const;
  std::vector<Piece> pieces_;
  double total_ = 1;
  Timestamp begin_{};
};

}  // namespace conductorai::report
