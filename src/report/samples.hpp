#pragma once
// What a monitor measured, read from its `samples.json` without trusting its shape.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conductorai::report {

struct Sample {
  double at_ms = 0, ms = 0;
  bool ok = false;
  bool answered = false;  // some answer came, if a wrong one: its time counts
  std::string error;
};
struct Moment {
  double at_ms = 0, value = 0;
};
/// What a service tells of itself, with the limits it was held against.
struct Metric {
  std::string name;
  std::optional<double> min, max;
  std::vector<Moment> points;  // by time
};
struct Probe {
  std::string name, kind;
  std::vector<Sample> samples;  // by time
  std::vector<Metric> metrics;
};
/// The process as its owner saw it.
struct ProcessLook {
  double at_ms = 0;
  bool alive = false;
  double restarts = 0, rss_bytes = 0, cpu_ms = 0;
  std::string error;
};
struct LogMatch {
  std::string pattern, line;
};
struct Samples {
  double window_s = 0;
  std::optional<double> p95_ms, availability;  // the SLO it was judged by
  std::vector<Probe> probes;
  std::vector<ProcessLook> process;  // by time
  std::vector<LogMatch> log_matches;
  double log_lines_matched = 0;
  std::vector<std::pair<std::string, std::string>> summary;
};

/// None where it is no such document.
std::optional<Samples> read_samples(std::string_view json);

/// Of the samples that were answered; `share` 0.95 is the 95th percentile, by nearest rank.
double percentile_ms(const Probe& probe, double share);

}  // namespace conductorai::report
