#include "agents/monitoring/judgement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/human.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kErrorsShown = 3;  // different ones, of a probe

std::string ms_text(double ms) {
  return ms < 10 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} ms", ms);
}
std::string percent(double share) {
  return fmt::format("{:.4g} %", share * 100);
}

/// What of the SLO these samples do not hold.
std::vector<std::string> broken_slo(const Slo& slo, const SeriesSummary& summary) {
  std::vector<std::string> broken;
  if (summary.availability < slo.availability)
    broken.push_back(fmt::format("availability {} of at least {}", percent(summary.availability), percent(slo.availability)));
  if (slo.error_rate && summary.error_rate > *slo.error_rate)
    broken.push_back(fmt::format("error rate {} of at most {}", percent(summary.error_rate), percent(*slo.error_rate)));
  const auto at_most = [&](const char* name, const std::optional<double>& limit, const std::optional<double>& measured) {
    if (limit && measured && *measured > *limit)
      broken.push_back(fmt::format("{} {} of at most {}", name, ms_text(*measured), ms_text(*limit)));
  };
  at_most("p50", slo.p50_ms, summary.p50);
  at_most("p95", slo.p95_ms, summary.p95);
  at_most("p99", slo.p99_ms, summary.p99);
  return broken;
}

std::string numbers(const SeriesSummary& summary) {
  std::string text = fmt::format("{} of {} as expected", summary.ok, summary.count);
  if (summary.p50) text += fmt::format(", p50 {}, p95 {}, max {}", ms_text(*summary.p50), ms_text(*summary.p95), ms_text(*summary.max));
  return text;
}

/// Different errors of the samples, most frequent first, with their counts. Numbers in them differ from sample to sample ("took 132 ms"):
/// those that differ in digits only are one.
std::string errors_text(const std::vector<Sample>& samples) {
  struct Group {
    std::string first;
    int count = 0;
  };
  std::map<std::string, Group> groups;
  for (const Sample& sample : samples) {
    if (sample.ok) continue;
    std::string shape = sample.error;
    std::erase_if(shape, [](char c) { return c >= '0' && c <= '9'; });
    Group& group = groups[shape];
    if (group.count++ == 0) group.first = sample.error;
  }
  std::vector<Group> sorted;
  sorted.reserve(groups.size());
  for (auto& [shape, group] : groups) sorted.push_back(std::move(group));
  std::ranges::sort(sorted, [](const Group& a, const Group& b) { return a.count != b.count ? a.count > b.count : a.first < b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kErrorsShown); ++i)
    text += fmt::format("{}{} ({} times)", i == 0 ? "" : "; ", sorted[i].first, sorted[i].count);
  if (sorted.size() > kErrorsShown) text += fmt::format("; and {} other errors", sorted.size() - kErrorsShown);
  return text;
}

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

class Judge {
 public:
  Judge(const MonitorPlan& plan, const WindowRecord& window) : plan_(plan), window_(window) {}

  Judgement judge() {
    for (const ProbeSeries& series : window_.probes) judge_series(series);
    judge_all();
    judge_process();
    judge_log();
    out_.healthy = out_.findings.empty();
    for (const Finding& finding : out_.findings) out_.severity = std::max(out_.severity, finding.severity);
    const SeriesSummary all = summarize_all(window_);
    out_.summary = out_.healthy ? fmt::format("healthy: {} in {}", numbers(all), duration_text(plan_.window.count()))
                                : fmt::format("not healthy: {}", joined(complaints_));
    return std::move(out_);
  }

 private:
  void add_evidence(std::string kind, std::string summary) {
    out_.evidence.push_back(
        {.kind = std::move(kind), .summary = std::move(summary), .value = {}, .passed = {}, .failed = {}, .skipped = {}, .artifact = {}});
  }
  void complain(Severity severity, std::string source, std::string message) {
    out_.findings.push_back({.severity = severity, .file = {}, .line = 0, .message = std::move(message), .source = std::move(source)});
  }

  void judge_series(const ProbeSeries& series) {
    const SeriesSummary summary = summarize(series.samples);
    add_evidence("probes", series.name + ": " + numbers(summary));
    const auto broken = broken_slo(plan_.slo, summary);
    if (broken.empty()) return;
    std::string message = fmt::format("{}: {}", series.name, joined(broken));
    if (summary.ok < summary.count)
      message += fmt::format("; {} of {} samples failed: {}", summary.count - summary.ok, summary.count, errors_text(series.samples));
    complain(summary.ok == 0 ? Severity::critical : Severity::error, "probe", std::move(message));
    complaints_.push_back(series.name + " " + broken.front());
  }

  void judge_all() {
    const SeriesSummary all = summarize_all(window_);
    std::string text = fmt::format("availability {} of at least {}", percent(all.availability), percent(plan_.slo.availability));
    if (plan_.slo.error_rate) text += fmt::format(", error rate {} of at most {}", percent(all.error_rate), percent(*plan_.slo.error_rate));
    const auto measured = [&](const char* name, const std::optional<double>& limit, const std::optional<double>& value) {
      if (limit) text += fmt::format(", {} {} of at most {}", name, value ? ms_text(*value) : "unknown", ms_text(*limit));
    };
    measured("p50", plan_.slo.p50_ms, all.p50);
    measured("p95", plan_.slo.p95_ms, all.p95);
    measured("p99", plan_.slo.p99_ms, all.p99);
    const auto kept = static_cast<std::int64_t>(window_.probes.size() - out_.findings.size());
    text += fmt::format("; {} of {} probes hold it", kept, window_.probes.size());
    add_evidence("slo", std::move(text));
    out_.outputs["availability"] = all.availability;
    out_.outputs["error_rate"] = all.error_rate;
    out_.outputs["samples"] = all.count;
    if (all.p50) out_.outputs["p50_ms"] = *all.p50;
    if (all.p95) out_.outputs["p95_ms"] = *all.p95;
    if (all.p99) out_.outputs["p99_ms"] = *all.p99;
  }

  void judge_process() {
    if (window_.process.empty()) return;
    const auto& samples = window_.process;
    const auto dead = std::ranges::find(samples, false, &ProcessSample::alive);
    const std::int64_t restarts = std::ranges::max(samples, {}, &ProcessSample::restarts).restarts - samples.front().restarts;
    const std::int64_t rss = std::ranges::max(samples, {}, &ProcessSample::rss_bytes).rss_bytes;
    const double cpu = cores();
    std::string text = how_alive();
    if (samples.front().restarts >= 0) text += fmt::format(", {} restarts", restarts);
    const std::string first = size_text(samples.front().rss_bytes), most = size_text(rss);
    if (rss > 0) text += first == most ? ", memory " + most : fmt::format(", memory {} to {}", first, most);
    if (cpu >= 0) text += fmt::format(", {:.2f} cores", cpu);
    add_evidence("process", std::move(text));
    if (dead != samples.end())
      process_finding(Severity::critical,
                      fmt::format("the process was not there {} after the window began: {}", duration_text(dead->at_ms), dead->error));
    if (restarts > plan_.process.restarts_max)
      process_finding(Severity::error,
                      fmt::format("the service ended and was restarted {} times, at most {}", restarts, plan_.process.restarts_max));
    if (plan_.process.rss_bytes_max && rss > *plan_.process.rss_bytes_max)
      process_finding(Severity::error,
                      fmt::format("the service used {} of memory, at most {}", size_text(rss), size_text(*plan_.process.rss_bytes_max)));
    if (plan_.process.cpu_max && cpu > *plan_.process.cpu_max)
      process_finding(Severity::error,
                      fmt::format("the service used {:.2f} cores on average, at most {:.2f}", cpu, *plan_.process.cpu_max));
  }
  [[nodiscard]] std::string how_alive() const {
    const auto& samples = window_.process;
    const auto dead = std::ranges::find(samples, false, &ProcessSample::alive);
    if (dead != samples.end()) return fmt::format("not there after {}: {}", duration_text(dead->at_ms), dead->error);
    const auto told = std::ranges::count(samples, true, &ProcessSample::alive);
    if (told == 0) return samples.front().error.empty() ? "whether it runs is not known" : samples.front().error;
    const auto all = static_cast<std::ptrdiff_t>(samples.size());
    return told == all ? "alive" : fmt::format("alive in {} of {} looks, not known in the others", told, all);
  }
  void process_finding(Severity severity, std::string message) {
    complaints_.push_back(message);
    complain(severity, "process", std::move(message));
  }
  /// On average over the window; less than 0 where it is not known.
  [[nodiscard]] double cores() const {
    const ProcessSample& first = window_.process.front();
    const ProcessSample& last = window_.process.back();
    const std::int64_t elapsed = last.at_ms - first.at_ms;
    if (elapsed <= 0 || last.cpu_ms <= 0) return -1;
    // After a restart the count begins again.
    const std::int64_t used = last.cpu_ms >= first.cpu_ms ? last.cpu_ms - first.cpu_ms : last.cpu_ms;
    return static_cast<double>(used) / static_cast<double>(elapsed);
  }

  void judge_log() {
    if (plan_.log_patterns.empty()) return;
    if (!window_.log_error.empty()) {
      add_evidence("log", "the log cannot be read: " + window_.log_error);
      complain(Severity::error, "log", "the log, in which patterns are forbidden, cannot be read: " + window_.log_error);
      complaints_.emplace_back("the log cannot be read");
      return;
    }
    add_evidence("log", fmt::format("{} lines hold a forbidden pattern", window_.log_lines_matched));
    for (const LogMatch& match : window_.log_matches)
      complain(Severity::error, "log", fmt::format("the service printed what /{}/ forbids: {}", match.pattern, match.line));
    if (window_.log_lines_matched > 0) complaints_.push_back(fmt::format("{} forbidden lines in the log", window_.log_lines_matched));
  }

  const MonitorPlan& plan_;
  const WindowRecord& window_;
  Judgement out_;
  std::vector<std::string> complaints_;
};

}  // namespace

Judgement judge(const MonitorPlan& plan, const WindowRecord& window) {
  return Judge(plan, window).judge();
}

}  // namespace conductorai::agents
