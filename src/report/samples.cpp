#include "report/samples.hpp"

#include <algorithm>
#include <cmath>

#include "core/json.hpp"

namespace conductorai::report {

namespace {

constexpr std::size_t kProbesMax = 50, kSamplesMax = 200'000, kSummaryMax = 40, kMetricsMax = 20, kMatchesMax = 50;

constexpr double kMost = 1e18;  // of any quantity: differences and ratios of two stay finite, and each fits an integer

double number(const Value* value) {
  if (value == nullptr) return 0;
  if (const auto* whole = value->as_int()) return std::clamp(static_cast<double>(*whole), -kMost, kMost);
  if (const auto* real = value->as_double()) return std::isfinite(*real) ? std::clamp(*real, -kMost, kMost) : 0;
  return 0;
}

std::string text(const Value* value) {
  if (value == nullptr || value->is_null()) return "";
  return value->as_string() != nullptr ? *value->as_string() : core::to_json(*value);
}

bool is_true(const Value* value) {
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

std::optional<double> number_if_there(const Value* value) {
  if (value == nullptr || (value->as_int() == nullptr && value->as_double() == nullptr)) return std::nullopt;
  return number(value);
}

/// The elements of a list; of what is none, none.
const Array& list(const Value* value) {
  static const Array kNone;
  return value != nullptr && value->as_array() != nullptr ? *value->as_array() : kNone;
}

std::vector<Metric> read_limits(const Value& probe) {
  std::vector<Metric> out;
  for (const Value& one : list(probe.find("limits")))
    if (out.size() < kMetricsMax)
      out.push_back(
          {.name = text(one.find("name")), .min = number_if_there(one.find("min")), .max = number_if_there(one.find("max")), .points = {}});
  return out;
}

Probe read_probe(const Value& value) {
  Probe out{.name = text(value.find("name")), .kind = text(value.find("kind")), .samples = {}, .metrics = read_limits(value)};
  for (const Value& one : list(value.find("samples"))) {
    if (out.samples.size() >= kSamplesMax) break;
    out.samples.push_back({.at_ms = number(one.find("at_ms")),
                           .ms = std::max(number(one.find("ms")), 0.0),
                           .ok = is_true(one.find("ok")),
                           .answered = number(one.find("status")) > 0,
                           .error = text(one.find("error"))});
    const Value* metrics = one.find("metrics");
    for (Metric& metric : out.metrics)
      if (const auto value_then = metrics != nullptr ? number_if_there(metrics->find(metric.name)) : std::nullopt)
        metric.points.push_back({.at_ms = out.samples.back().at_ms, .value = *value_then});
  }
  std::ranges::sort(out.samples, {}, &Sample::at_ms);
  for (Metric& metric : out.metrics) std::ranges::sort(metric.points, {}, &Moment::at_ms);
  return out;
}

void read_process(const Value& root, Samples& out) {
  for (const Value& one : list(root.find("process"))) {
    if (out.process.size() >= kSamplesMax) break;
    if (one.find("alive") == nullptr) continue;  // nobody could tell
    out.process.push_back({.at_ms = number(one.find("at_ms")),
                           .alive = is_true(one.find("alive")),
                           .restarts = std::max(number(one.find("restarts")), 0.0),
                           .rss_bytes = std::max(number(one.find("rss_bytes")), 0.0),
                           .cpu_ms = std::max(number(one.find("cpu_ms")), 0.0),
                           .error = text(one.find("error"))});
  }
  std::ranges::sort(out.process, {}, &ProcessLook::at_ms);
}

void read_log(const Value& root, Samples& out) {
  for (const Value& one : list(root.find("log_matches")))
    if (out.log_matches.size() < kMatchesMax)
      out.log_matches.push_back({.pattern = text(one.find("pattern")), .line = text(one.find("line"))});
  out.log_lines_matched = std::max(number(root.find("log_lines_matched")), static_cast<double>(out.log_matches.size()));
}

}  // namespace

std::optional<Samples> read_samples(std::string_view json) {
  auto root = core::parse_json(json);
  if (!root) return std::nullopt;
  const Value* probes = root->find("probes");
  if (probes == nullptr || probes->as_array() == nullptr) return std::nullopt;
  Samples out;
  out.window_s = number(root->find("window_s"));
  read_process(*root, out);
  read_log(*root, out);
  if (const Value* slo = root->find("slo")) {
    if (const Value* p95 = slo->find("p95_ms")) out.p95_ms = number(p95);
    if (const Value* share = slo->find("availability")) out.availability = number(share);
  }
  for (const Value& probe : *probes->as_array())
    if (out.probes.size() < kProbesMax) out.probes.push_back(read_probe(probe));
  if (const Value* summary = root->find("summary"); summary != nullptr && summary->as_object() != nullptr)
    for (const auto& [name, value] : *summary->as_object())
      if (out.summary.size() < kSummaryMax && value.as_array() == nullptr && value.as_object() == nullptr)
        out.summary.emplace_back(name, text(&value));
  return out;
}

double percentile_ms(const Probe& probe, double share) {
  std::vector<double> values;
  for (const Sample& sample : probe.samples)
    if (sample.ok || sample.answered) values.push_back(sample.ms);
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

}  // namespace conductorai::report
