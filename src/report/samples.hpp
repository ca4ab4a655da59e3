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
struct Probe {
  std::string name, kind;
  std::vector<Sample> samples;  // by time
};
struct Samples {
  double window_s = 0;
  std::optional<double> p95_ms, availability;  // the SLO it was judged by
  std::vector<Probe> probes;
  std::vector<std::pair<std::string, std::string>> summary;
};

/// None where it is no such document.
std::optional<Samples> read_samples(std::string_view json);

/// Of the samples that were answered; `share` 0.95 is the 95th percentile, by nearest rank.
double percentile_ms(const Probe& probe, double share);

}  // namespace conductorai::report
