#pragma once
// What a monitor is to look at and what it is held against: a task's `with`, read and checked.

#include <optional>
#include <string>
#include <vector>

#include "conductorai/base_agent.hpp"
#include "conductorai/prober.hpp"

namespace conductorai::agents {

/// Limits of one metric; `name` as NetworkProber::metrics writes it, or without labels: then the sum of all its series.
struct MetricLimit {
  std::string name;
  std::optional<double> min, max;
};

struct PlannedProbe {
  Probe probe;                      // `url` is a path until `address` made it whole
  std::vector<MetricLimit> limits;  // of kind metrics
};

struct Slo {  // held by every probe on its own
  double availability = 0.99;
  std::optional<double> error_rate;
  std::optional<double> p50_ms, p95_ms, p99_ms;
};

struct ProcessLimits {
  std::int64_t restarts_max = 0;  // in the window
  std::optional<std::int64_t> rss_bytes_max;
  std::optional<double> cpu_max;  // cores used on average
};

struct MonitorPlan {
  Milliseconds window{10'000};
  Milliseconds interval{0};  // between two looks, the probes taking turns
  int min_samples = 5;       // of each probe
  std::vector<PlannedProbe> probes;
  Slo slo;
  std::vector<std::string> log_patterns;  // regular expressions that no line of the log may hold
  ProcessLimits process;

  /// How many looks the window has time for, of each probe.
  [[nodiscard]] std::int64_t looks_each() const;
};

std::vector<WithKey> monitor_keys();

/// Errors: invalid_argument naming the key ("with.probes[1].max-ms").
Result<MonitorPlan> read_plan(const Object& with);

/// The plan with whole URLs. Errors: invalid_argument (a path, and the release names no URL).
Result<MonitorPlan> address(MonitorPlan plan, const std::string& base_url);

}  // namespace conductorai::agents
