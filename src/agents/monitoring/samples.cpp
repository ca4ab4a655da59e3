#include "agents/monitoring/samples.hpp"

#include <algorithm>
#include <cmath>

#include "core/json_codec.hpp"

namespace conductorai::agents {

BOOST_DESCRIBE_STRUCT(Sample, (), (at_ms, ok, ms, status, error, metrics))
BOOST_DESCRIBE_STRUCT(MetricLimit, (), (name, min, max))
BOOST_DESCRIBE_STRUCT(ProbeSeries, (), (name, kind, limits, samples, missed))
BOOST_DESCRIBE_STRUCT(ProcessSample, (), (at_ms, alive, restarts, rss_bytes, cpu_ms, error))
BOOST_DESCRIBE_STRUCT(LogMatch, (), (pattern, line))
BOOST_DESCRIBE_STRUCT(WindowRecord, (), (window_s, release, url, probes, process, log_matches, log_lines_matched, log_tail, log_error))

namespace {

SeriesSummary summary_of(std::int64_t count, std::int64_t ok, std::vector<double> times) {
  SeriesSummary summary{.count = count, .ok = ok};
  if (count > 0) {
    summary.availability = static_cast<double>(ok) / static_cast<double>(count);
    summary.error_rate = static_cast<double>(count - ok) / static_cast<double>(count);
  }
  if (times.empty()) return summary;
  summary.p50 = percentile(times, 50);
  summary.p95 = percentile(times, 95);
  summary.p99 = percentile(times, 99);
  summary.max = std::ranges::max(times);
  return summary;
}

void add(const std::vector<Sample>& samples, std::int64_t& ok, std::vector<double>& times) {
  for (const Sample& sample : samples) {
    if (sample.ok) ++ok;
    if (answered(sample)) times.push_back(sample.ms);
  }
}

Value or_null(const std::optional<double>& number) {
  return number ? Value(*number) : Value();
}

Object json_of(const SeriesSummary& summary) {
  return {{"count", summary.count},
          {"ok", summary.ok},
          {"availability", summary.availability},
          {"error_rate", summary.error_rate},
          {"p50_ms", or_null(summary.p50)},
          {"p95_ms", or_null(summary.p95)},
          {"p99_ms", or_null(summary.p99)},
          {"max_ms", or_null(summary.max)}};
}

Object json_of(const Slo& slo) {
  Object out{{"availability", slo.availability}};
  const auto put = [&](const char* name, const std::optional<double>& limit) {
    if (limit) out.emplace(name, *limit);
  };
  put("error_rate", slo.error_rate);
  put("p50_ms", slo.p50_ms);
  put("p95_ms", slo.p95_ms);
  put("p99_ms", slo.p99_ms);
  return out;
}

}  // namespace

double percentile(std::vector<double> values, double percent) {
  std::ranges::sort(values);
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

SeriesSummary summarize(const std::vector<Sample>& samples) {
  std::int64_t ok = 0;
  std::vector<double> times;
  add(samples, ok, times);
  return summary_of(static_cast<std::int64_t>(samples.size()), ok, std::move(times));
}

SeriesSummary summarize_all(const WindowRecord& window) {
  std::int64_t count = 0;
  std::int64_t ok = 0;
  std::vector<double> times;
  for (const ProbeSeries& series : window.probes) {
    count += static_cast<std::int64_t>(series.samples.size());
    add(series.samples, ok, times);
  }
  return summary_of(count, ok, std::move(times));
}

Value encode(const WindowRecord& window) {
  // Through text, so that what is used now and what is read back after a crash are the same value.
  auto value = core::parse_json(core::write_json(window));
  return value ? std::move(*value) : Value();
}

Result<WindowRecord> decode_window(const Value& value) {
  auto window = core::read_json<WindowRecord>(core::to_json(value));
  if (!window) return fail(ErrorCode::data_corrupted, "the recorded window cannot be read: " + window.error().message);
  return window;
}

std::string samples_json(const WindowRecord& window, const MonitorPlan& plan) {
  auto root = core::parse_json(core::write_json(window));
  Object out = root && root->as_object() != nullptr ? *root->as_object() : Object{};
  out.erase("log_tail");  // has an artifact of its own
  out["format"] = "conductorai-samples/1";
  out["slo"] = json_of(plan.slo);
  const SeriesSummary all = summarize_all(window);
  Object summary = json_of(all);
  Object per_probe;
  for (const ProbeSeries& series : window.probes) per_probe.emplace(series.name, json_of(summarize(series.samples)));
  summary.emplace("probes", std::move(per_probe));
  out["summary"] = std::move(summary);
  return core::to_json(Value(std::move(out)));
}

}  // namespace conductorai::agents
