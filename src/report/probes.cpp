#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/human.hpp"
#include "report/samples.hpp"
#include "report/sections.hpp"
#include "report/service.hpp"

namespace conductorai::report {

namespace {

constexpr double kHeight = 120, kTop = 8, kStrip = 12;
constexpr std::size_t kDots = 500, kCells = 120, kChartsMax = 40;

struct Slo {
  std::optional<double> p95_ms, availability;
};

std::optional<double> number(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* whole = value->as_int()) return static_cast<double>(*whole);
  if (const auto* real = value->as_double()) return *real;
  return std::nullopt;
}

Slo slo_of(const Page& page, const TaskId& task) {
  Slo out;
  if (!page.material.definition) return out;
  for (const TaskDefinition& one : page.material.definition->tasks) {
    if (one.id != task) continue;
    const auto slo = one.with.find("slo");
    if (slo == one.with.end()) continue;
    out.p95_ms = number(slo->second.find("p95-ms"));
    out.availability = number(slo->second.find("availability"));
  }
  return out;
}

std::string ms_text(double ms) {
  return ms < 10 ? fmt::format("{:.1f} ms", ms) : duration_text(std::llround(ms));
}

/// Time across, from the first sample to the last.
struct Span {
  double start = 0, length = 1;
  explicit Span(const Probe& probe) {
    if (probe.samples.empty()) return;
    start = probe.samples.front().at_ms;
    length = std::max(probe.samples.back().at_ms - start, 1.0);
  }
  [[nodiscard]] double percent(double at) const { return 1 + (at - start) / length * 98; }
};

double top_of(const Probe& probe, const Slo& slo) {
  double top = 1;
  for (const Sample& sample : probe.samples) top = std::max(top, sample.ms);
  return std::max(top, slo.p95_ms.value_or(0)) * 1.08;
}

/// Every failure is drawn, of the others as many as can be told apart.
Html dots(const Probe& probe, const Span& span, double top) {
  Html out;
  const std::size_t every = std::max<std::size_t>(1, probe.samples.size() / kDots);
  std::size_t failures = 0;
  for (std::size_t i = 0; i < probe.samples.size(); ++i) {
    const Sample& sample = probe.samples[i];
    if (sample.ok ? i % every != 0 : ++failures > kDots) continue;
    const double y = kTop + (1 - sample.ms / top) * (kHeight - kTop);
    out += html("<circle class=\"{}\" cx=\"{}%\" cy=\"{}\" r=\"{}\"><title>{} ms, {}</title></circle>", sample.ok ? "ok" : "bad",
                span.percent(sample.at_ms), y, sample.ok ? 2.5 : 3.5, sample.ms, sample.ok ? "ok" : one_line(sample.error, 120));
  }
  return out;
}

Html slo_line(const Slo& slo, double top) {
  if (!slo.p95_ms) return {};
  const double y = kTop + (1 - *slo.p95_ms / top) * (kHeight - kTop);
  return html(
      "<line class=\"slo\" x1=\"0\" x2=\"100%\" y1=\"{}\" y2=\"{}\"/><text class=\"slo\" x=\"100%\" dx=\"-4\" y=\"{}\">SLO p95 {}</text>",
      y, y, y < 20 ? y + 13 : y - 4, ms_text(*slo.p95_ms));
}

/// One cell for each slice of time, as bad as the worst in it.
Html strip(const Probe& probe, const Span& span) {
  const std::size_t cells = std::clamp<std::size_t>(probe.samples.size(), 1, kCells);
  std::vector<int> look(cells, 0);
  for (const Sample& sample : probe.samples) {
    const auto at = static_cast<std::size_t>((sample.at_ms - span.start) / span.length * static_cast<double>(cells) * 0.9999);
    look[std::min(at, cells - 1)] = std::max(look[std::min(at, cells - 1)], sample.ok ? 1 : 2);
  }
  Html out;
  const double width = 98.0 / static_cast<double>(cells);
  for (std::size_t i = 0; i < cells; ++i)
    if (look[i] != 0)
      out += html("<rect class=\"{}\" x=\"{}%\" y=\"{}\" width=\"{}%\" height=\"{}\"/>", look[i] == 2 ? "bad" : "ok",
                  1 + width * static_cast<double>(i), kHeight + 6, width * 0.86, kStrip);
  return out;
}

Html figures(const Probe& probe, const Slo& slo) {
  const auto ok = static_cast<double>(std::ranges::count_if(probe.samples, &Sample::ok));
  const double share = ok / static_cast<double>(probe.samples.size());
  const double p95 = percentile_ms(probe, 0.95);
  const bool steady = share >= slo.availability.value_or(0), quick = !slo.p95_ms || p95 <= *slo.p95_ms;
  return html(
      "<p class=\"meta\">{} samples · <span class=\"{}\">{} % available</span> · p50 {} · <span class=\"{}\">p95 {}</span> · p99 {}</p>",
      probe.samples.size(), steady ? "good" : "poor", share * 100, ms_text(percentile_ms(probe, 0.5)), quick ? "good" : "poor",
      ms_text(p95), ms_text(percentile_ms(probe, 0.99)));
}

/// The scale's top; left out where the SLO's line would run through it.
Html top_label(const Slo& slo, double top) {
  if (slo.p95_ms && *slo.p95_ms / top > 0.8) return {};
  return html("<text class=\"tick first\" x=\"2\" y=\"{}\">{}</text>", kTop + 9, ms_text(top));
}

Html errors_of(const Probe& probe) {
  std::map<std::string, int> counts;
  for (const Sample& sample : probe.samples)
    if (!sample.ok && counts.size() < 5) ++counts[one_line(sample.error.empty() ? "failed" : sample.error, 160)];
  Html out;
  for (const auto& [error, count] : counts) out += html("<li>{} × {}</li>", count, error);
  return out.empty() ? out : html("<ul class=\"errors\">{}</ul>", out);
}

Html chart(const Probe& probe, const Slo& slo) {
  const Html title = html("<h4>{} <span class=\"kind\">{}</span></h4>", one_line(probe.name, 120), one_line(probe.kind, 20));
  if (probe.samples.empty()) return html("<figure>{}<p class=\"note\">No samples.</p></figure>", title);
  const Span span(probe);
  const double top = top_of(probe, slo);
  const Html scales = html("{}<text class=\"tick first\" x=\"2\" y=\"{}\">0</text><text class=\"tick last\" x=\"100%\" y=\"{}\">{}</text>",
                           top_label(slo, top), kHeight + kStrip + 20, kHeight + kStrip + 20, ms_text(span.length));
  return html(
      "<figure>{}{}<svg class=\"probe\" role=\"img\" aria-label=\"Latency and availability of {} over {}\" width=\"100%\" "
      "height=\"{}\"><line "
      "class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"{}\" y2=\"{}\"/>{}{}{}{}</svg>{}</figure>",
      title, figures(probe, slo), one_line(probe.name, 80), ms_text(span.length), kHeight + kStrip + 24, kHeight, kHeight,
      slo_line(slo, top), dots(probe, span, top), strip(probe, span), scales, errors_of(probe));
}

Html run_of_probes(const Page& page, const Attempt& attempt, const Samples& samples) {
  Html charts, facts;
  Slo slo = slo_of(page, attempt.task);
  if (samples.p95_ms) slo.p95_ms = samples.p95_ms;
  if (samples.availability) slo.availability = samples.availability;
  for (std::size_t i = 0; i < std::min(samples.probes.size(), kChartsMax); ++i) {
    charts += chart(samples.probes[i], slo);
    charts += metric_charts(samples.probes[i]);
  }
  charts += process_charts(samples);
  for (const auto& [name, value] : samples.summary)
    facts += html("<div><dt>{}</dt><dd>{}</dd></div>", one_line(name, 60), one_line(value, 200));
  return html(
      "<article class=\"watch\"><h3><span>{}, round {}</span> {}</h3><p class=\"summary\">{}</p>{}<div "
      "class=\"charts\">{}</div>{}</article>",
      task_link(page, attempt.task), attempt.round, pill(word(attempt.look), word(attempt.look)), one_line(attempt.summary, 600),
      facts.empty() ? facts : html("<dl class=\"outputs\">{}</dl>", facts), charts, log_lines(samples));
}

}  // namespace

Html probes_section(const Page& page) {
  Html out;
  for (const Attempt& attempt : page.history.attempts)
    for (const ArtifactRef& artifact : attempt.artifacts) {
      if (artifact.type != "samples") continue;
      const auto text = page.shelf.text(artifact);
      const auto samples = text ? read_samples(*text) : std::nullopt;
      if (samples) out += run_of_probes(page, attempt, *samples);
    }
  return out.empty() ? out : html("<section id=\"probes\"><h2>Probes</h2>{}</section>", out);
}

}  // namespace conductorai::report
