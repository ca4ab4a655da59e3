#pragma once
// What one window measured, as it is recorded and as the artifact `samples.json` tells it (docs/formats/samples.md).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/monitoring/monitor_plan.hpp"

namespace conductorai::agents {

struct Sample {
  std::int64_t at_ms = 0;  // since the window began
  bool ok = false;
  double ms = 0;
  int status = 0;  // http
  std::string error;
  std::map<std::string, double> metrics;  // of kind metrics: what the limits hold
};
struct ProbeSeries {
  std::string name;
  std::string kind;  // http, tcp, metrics
  std::vector<MetricLimit> limits;
  std::vector<Sample> samples;
  std::int64_t missed = 0;  // turns left out because earlier looks at it still waited for an answer
};
struct ProcessSample {
  std::int64_t at_ms = 0;
  std::optional<bool> alive;  // nothing: it cannot be told
  std::int64_t restarts = 0;  // -1: not known
  std::int64_t rss_bytes = 0;
  std::int64_t cpu_ms = 0;
  std::string error;  // why not alive, or not known
};
struct LogMatch {
  std::string pattern;
  std::string line;
};
struct WindowRecord {
  double window_s = 0;
  std::string release, url;
  std::vector<ProbeSeries> probes;
  std::vector<ProcessSample> process;
  std::vector<LogMatch> log_matches;
  std::int64_t log_lines_matched = 0;
  std::string log_tail;
  std::string log_error;
};

/// An answer came, whatever it said: its time counts for percentiles.
[[nodiscard]] inline bool answered(const Sample& sample) {
  return sample.ok || sample.status != 0;
}

struct SeriesSummary {
  std::int64_t count = 0, ok = 0;
  double availability = 0, error_rate = 0;
  std::optional<double> p50, p95, p99, max;  // of answered samples; none where nothing answered
};
SeriesSummary summarize(const std::vector<Sample>& samples);
/// All probes together.
SeriesSummary summarize_all(const WindowRecord& window);

/// Nearest rank: the smallest value that at least `percent` of all do not exceed. REQUIRES: values not empty.
double percentile(std::vector<double> values, double percent);

Value encode(const WindowRecord& window);
Result<WindowRecord> decode_window(const Value& value);

/// The artifact `samples.json`.
std::string samples_json(const WindowRecord& window, const MonitorPlan& plan);

}  // namespace conductorai::agents
