#include "report/samples.hpp"

#include <algorithm>
#include <cmath>

#include "core/json.hpp"

namespace conductorai::report {

namespace {

constexpr std::size_t kProbesMax = 50, kSamplesMax = 200'000, kSummaryMax = 40;

double number(const Value* value) {
  if (value == nullptr) return 0;
  if (const auto* whole = value->as_int()) return static_cast<double>(*whole);
  if (const auto* real = value->as_double()) return std::isfinite(*real) ? *real : 0;
  return 0;
}

std::string text(const Value* value) {
  if (value == nullptr || value->is_null()) return "";
  return value->as_string() != nullptr ? *value->as_string() : core::to_json(*value);
}

Probe read_probe(const Value& value) {
  Probe out{.name = text(value.find("name")), .kind = text(value.find("kind")), .samples = {}};
  const Value* samples = value.find("samples");
  if (samples == nullptr || samples->as_array() == nullptr) return out;
  for (const Value& one : *samples->as_array()) {
    if (out.samples.size() >= kSamplesMax) break;
    const Value* ok = one.find("ok");
    out.samples.push_back({.at_ms = number(one.find("at_ms")),
                           .ms = std::max(number(one.find("ms")), 0.0),
                           .ok = ok != nullptr && ok->as_bool() != nullptr && *ok->as_bool(),
                           .answered = number(one.find("status")) > 0,
                           .error = text(one.find("error"))});
  }
  std::ranges::sort(out.samples, {}, &Sample::at_ms);
  return out;
}

}  // namespace

std::optional<Samples> read_samples(std::string_view json) {
  auto root = core::parse_json(json);
  if (!root) return std::nullopt;
  const Value* probes = root->find("probes");
  if (probes == nullptr || probes->as_array() == nullptr) return std::nullopt;
  Samples out{.window_s = number(root->find("window_s")), .probes = {}, .summary = {}};
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
