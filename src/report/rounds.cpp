#include <algorithm>

#include "base/human.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

constexpr std::size_t kRoundsMax = 100;

Html gate_line(const Gate& gate) {
  Html reasons;
  for (const std::string& reason : gate.decided.reasons) reasons += html("<div class=\"dim\">{}</div>", one_line(reason, 600));
  return html("<li>{} gate {}{}</li>", to_string(gate.decided.phase),
              pill(gate.decided.passed ? "passed" : "failed", gate.decided.passed ? "passed" : "not passed"), reasons);
}

/// Gates of phases without tasks pass at once and say nothing: they are left out.
Html gates_of(const Page& page, int round) {
  Html items;
  for (const Gate& gate : page.history.gates)
    if (gate.decided.round == round && !(gate.decided.reasons.empty() && gate.decided.evidence.empty())) items += gate_line(gate);
  return items.empty() ? Html() : html("<ul class=\"gates\">{}</ul>", items);
}

Html recommendations(const FeedbackPayload& feedback) {
  Html items;
  for (const std::string& text : feedback.recommendations) items += html("<li>{}</li>", one_line(text, 800));
  return items.empty() ? Html() : html("<h4>Recommended</h4><ul>{}</ul>", items);
}

Html sent_back(const Page& page, const Round& round) {
  if (round.kind.empty()) return {};
  if (round.kind == "retry") return html("<p>Opened again by a person, from {}.</p>", task_link(page, round.target));
  Html out = html("<p>{} sent work back to {}.</p>", task_link(page, round.from), task_link(page, round.target));
  if (!round.feedback.summary.empty()) out += html("<p class=\"quote\">{}</p>", one_line(round.feedback.summary, 1200));
  out += findings_list(round.feedback.findings, page.material.limits.findings);
  out += recommendations(round.feedback);
  return out;
}

std::string title_of(const Round& round) {
  const std::string name = "Round " + std::to_string(round.number);
  return round.kind.empty() ? name : name + " · " + (round.kind == "feedback" ? "feedback loop" : round.kind);
}

}  // namespace

Html rounds_section(const Page& page) {
  Html items;
  const std::size_t count = page.history.rounds.size();
  for (std::size_t i = 0; i < std::min(count, kRoundsMax); ++i) {
    const Round& round = page.history.rounds[i];
    items += html("<li class=\"{}\"><h3>{} <span class=\"dim\">{}</span></h3>{}{}</li>", round.kind.empty() ? "first" : round.kind,
                  title_of(round), round.kind.empty() ? "" : "after " + duration_text((round.at - page.history.begin).count()),
                  sent_back(page, round), gates_of(page, round.number));
  }
  if (count > kRoundsMax) items += html("<li class=\"dim\">and {} more</li>", count - kRoundsMax);
  return html("<section id=\"rounds\"><h2>Rounds</h2><ol class=\"rounds\">{}</ol></section>", items);
}

}  // namespace conductorai::report
