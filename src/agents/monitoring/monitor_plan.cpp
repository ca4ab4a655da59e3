#include "agents/monitoring/monitor_plan.hpp"

#include <algorithm>
#include <set>

#include "agents/base/material.hpp"
#include "agents/base/with_reader.hpp"
#include "agents/monitoring/probe_plan.hpp"
#include "agents/tools/tool_loop.hpp"
#include "base/pattern.hpp"

namespace conductorai::agents {
namespace {

using Type = WithKey::Type;

constexpr Milliseconds kWindowMin{100};
constexpr Milliseconds kWindowMax{24 * 3'600'000};
constexpr Milliseconds kIntervalMin{5};
constexpr std::int64_t kLooksMax = 200'000;
constexpr std::int64_t kLooksWanted = 20;  // of each probe, where the interval is left to us
constexpr std::size_t kProbesMax = 100;

Milliseconds default_interval(Milliseconds window, std::size_t probes) {
  const Milliseconds even(window.count() / (kLooksWanted * static_cast<std::int64_t>(std::max<std::size_t>(probes, 1))));
  return std::clamp(even, Milliseconds(20), Milliseconds(1'000));
}

void read_slo(WithReader& with, Slo& slo) {
  const Object* object = with.object("slo");
  if (object == nullptr) return;
  WithReader reader(*object, with.path("slo"));
  reader.allow({"availability", "error-rate", "p50-ms", "p95-ms", "p99-ms"});
  slo.availability = reader.number("availability", 0, 1).value_or(slo.availability);
  slo.error_rate = reader.number("error-rate", 0, 1);
  slo.p50_ms = reader.number("p50-ms", 0.001, 1e7);
  slo.p95_ms = reader.number("p95-ms", 0.001, 1e7);
  slo.p99_ms = reader.number("p99-ms", 0.001, 1e7);
  with.take(reader.result());
}

void read_process(WithReader& with, ProcessLimits& limits) {
  const Object* object = with.object("process");
  if (object == nullptr) return;
  WithReader reader(*object, with.path("process"));
  reader.allow({"max-restarts", "max-rss", "max-cpu"});
  limits.restarts_max = reader.whole("max-restarts", 0, 1'000'000).value_or(limits.restarts_max);
  limits.rss_bytes_max = reader.size("max-rss");
  limits.cpu_max = reader.number("max-cpu", 0, 10'000);
  with.take(reader.result());
}

void read_logs(WithReader& with, std::vector<std::string>& patterns) {
  patterns = with.texts("logs");
  for (const std::string& pattern : patterns)
    if (auto checked = check_pattern(pattern); !checked || pattern.empty())
      with.wrong("logs", checked ? "a pattern is empty" : checked.error().message + ": '" + pattern + "'");
}

void read_probes(WithReader& with, MonitorPlan& plan) {
  // A probe that hangs has to fail inside the window, not after it.
  const Milliseconds timeout = std::clamp(plan.window / 2, Milliseconds(1'000), Milliseconds(5'000));
  const Array* list = with.array("probes");
  if (list == nullptr) {
    plan.probes.push_back({.probe = {.name = "GET /", .url = "/", .timeout = timeout}, .limits = {}});
    return;
  }
  if (list->empty()) with.wrong("probes", "expected at least one probe", "left out, it is a GET of /");
  if (list->size() > kProbesMax) with.wrong("probes", "at most " + std::to_string(kProbesMax) + " probes");
  std::set<std::string> names;
  for (std::size_t i = 0; i < list->size() && !with.failed(); ++i) {
    auto probe = read_probe((*list)[i], with.path("probes") + "[" + std::to_string(i) + "]", timeout);
    if (!probe) return with.take(fail(probe.error()));
    // Two probes of one path differ in what they send: their place tells them apart.
    if (!names.insert(probe->probe.name).second) {
      probe->probe.name += " #" + std::to_string(i + 1);
      names.insert(probe->probe.name);
    }
    plan.probes.push_back(std::move(*probe));
  }
}

void check_time(WithReader& with, MonitorPlan& plan) {
  if (with.failed()) return;
  const std::int64_t looks = plan.window / plan.interval;
  if (looks > kLooksMax)
    with.wrong("interval", "the window has more than " + std::to_string(kLooksMax) + " looks", "make the interval longer");
  if (plan.looks_each() < plan.min_samples)
    with.wrong("window",
               "too short: each of " + std::to_string(plan.probes.size()) + " probes gets " + std::to_string(plan.looks_each()) +
                   " samples, min-samples wants " + std::to_string(plan.min_samples),
               "make the window longer or the interval shorter");
}

std::string joined(std::string base, const std::string& path) {
  while (base.ends_with('/')) base.pop_back();
  return base + path;
}

}  // namespace

std::int64_t MonitorPlan::looks_each() const {
  return window / interval / static_cast<std::int64_t>(std::max<std::size_t>(probes.size(), 1));
}

std::vector<WithKey> monitor_keys() {
  const auto key = [](const char* name, Type type, const char* description) {
    return WithKey{.name = name, .type = type, .required = false, .description = description, .allowed = {}};
  };
  return {
      key("window", Type::duration, "how long the release is watched, 10s where left out"),
      key("interval", Type::duration, "between two looks, the probes taking turns; left out: so that each probe gets about 20 samples"),
      key("min-samples", Type::integer, "of each probe, 5 where left out; a window that gave fewer is an error of the attempt"),
      key("probes", Type::array, "what to look at: { get: /healthz, status: 200 }, { tcp: true }, { metrics: /metrics }; left out: GET /"),
      key("slo", Type::object, "availability, error-rate, p50-ms, p95-ms, p99-ms: held by every probe"),
      key("logs", Type::array, "regular expressions that no line of the service's log may hold"),
      key("process", Type::object, "max-restarts (0 where left out), max-rss, max-cpu (cores)"),
      instructions_key(),
      tools_key()};
}

Result<MonitorPlan> read_plan(const Object& given) {
  WithReader with(given, "with");
  MonitorPlan plan;
  plan.window = with.duration("window", kWindowMin, kWindowMax).value_or(plan.window);
  plan.min_samples = static_cast<int>(with.whole("min-samples", 1, 100'000).value_or(plan.min_samples));
  read_probes(with, plan);
  plan.interval = with.duration("interval", kIntervalMin, plan.window).value_or(default_interval(plan.window, plan.probes.size()));
  read_slo(with, plan.slo);
  read_process(with, plan.process);
  read_logs(with, plan.log_patterns);
  check_time(with, plan);
  if (auto read = with.result(); !read) return fail(read.error());
  return plan;
}

Result<MonitorPlan> address(MonitorPlan plan, const std::string& base_url) {
  for (PlannedProbe& planned : plan.probes) {
    std::string& url = planned.probe.url;
    const bool whole = !url.empty() && !url.starts_with('/');
    if (whole) continue;
    if (base_url.empty())
      return fail(ErrorCode::invalid_argument, "the release names no URL, so the probe '" + planned.probe.name + "' needs a whole one",
                  "with.probes");
    url = planned.probe.kind == Probe::Kind::tcp ? base_url : joined(base_url, url);
  }
  return plan;
}

}  // namespace conductorai::agents
