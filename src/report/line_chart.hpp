#pragma once
// One quantity over time as a line, with the limits it was held against and what happened on the way.

#include "report/html.hpp"
#include "report/samples.hpp"

namespace conductorai::report {

struct LineChart {
  std::string title;                         // "Memory"
  std::string kind = {};                     // "process"
  std::vector<Moment> points;                // by time
  std::optional<double> min = {}, max = {};  // limits
  struct Mark {
    double at_ms = 0;
    std::string text;
  };
  std::vector<Mark> marks = {};            // "restarted": something that went wrong at that time
  std::string (*words)(double) = nullptr;  // a value with its unit
};

Html draw(const LineChart& chart);

}  // namespace conductorai::report
