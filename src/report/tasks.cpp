#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/human.hpp"
#include "core/json.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

constexpr std::size_t kOpenTasks = 30;    // with more of them, only what went wrong stands open
constexpr std::size_t kOpenDiff = 6'000;  // bytes: a diff that can be read at a glance
constexpr std::size_t kOutputs = 40;

Html outputs_of(const Object& outputs) {
  if (outputs.empty()) return {};
  Html rows;
  std::size_t count = 0;
  for (const auto& [name, value] : outputs) {
    if (++count > kOutputs) break;
    const std::string text = value.as_string() != nullptr ? *value.as_string() : core::to_json(value);
    rows += html("<div><dt>{}</dt><dd>{}</dd></div>", one_line(name, 80), one_line(text, 400));
  }
  if (outputs.size() > kOutputs) rows += html("<div><dt>and</dt><dd>{} more</dd></div>", outputs.size() - kOutputs);
  return html("<h4>Outputs</h4><dl class=\"outputs\">{}</dl>", rows);
}

/// Evidence and work before what was asked and said.
int rank(const ArtifactRef& artifact) {
  if (artifact.type == "diff") return 0;
  if (artifact.type == "prompt" || artifact.type == "answer") return 2;
  return 1;
}

Html files_of(const Page& page, const Attempt& attempt, bool open) {
  Html out;
  for (const int wanted : {0, 1, 2})
    for (const ArtifactRef& file : attempt.artifacts)
      if (rank(file) == wanted)
        out += page.shelf.file(file, open && file.type == "diff" && file.size <= static_cast<std::int64_t>(kOpenDiff));
  return out.empty() ? out : html("<h4>Artifacts</h4>{}", out);
}

Html usage_words(const Usage& usage) {
  if (usage.calls == 0) return {};
  return html(" · {} {} · {} tokens", grouped(usage.calls), usage.calls == 1 ? "call" : "calls",
              grouped(usage.input_tokens + usage.output_tokens));
}

Html sent(const Page& page, const Attempt& attempt) {
  if (!attempt.feedback) return {};
  const FeedbackPayload& feedback = *attempt.feedback;
  return html("<h4>Findings</h4>{}", findings_list(feedback.findings, page.material.limits.findings));
}

Html trouble(const Attempt& attempt) {
  if (!attempt.error) return {};
  Html out = html("<p class=\"notice failed\"><b>{}</b> {}</p>", to_string(attempt.error->code), one_line(to_string(*attempt.error), 1200));
  out += html("<p class=\"dim\">The attempt was {}.</p>", attempt.action);
  if (!attempt.error->hint.empty()) out += html("<p class=\"dim\">Hint: {}</p>", one_line(attempt.error->hint, 400));
  return out;
}

Html attempt_block(const Page& page, std::size_t number, bool open) {
  const Attempt& attempt = page.history.attempts[number];
  // Files first: evidence links to where they stand.
  const Html files = files_of(page, attempt, open);
  Html out =
      html("<details class=\"attempt {}\" id=\"a{}\"{}><summary><b>Round {}{}</b> {} <span class=\"meta\">{} · {}{}</span></summary>",
           word(attempt.look), number, open ? html(" open") : html(""), attempt.round,
           attempt.number > 1 ? ", attempt " + std::to_string(attempt.number) : "", pill(word(attempt.look), word(attempt.look)),
           duration_text((attempt.end - attempt.start).count()), attempt.agent.empty() ? "no agent" : attempt.agent.str(),
           usage_words(attempt.usage));
  if (!attempt.error && !attempt.summary.empty()) out += html("<p class=\"summary\">{}</p>", one_line(attempt.summary, 1200));
  out += trouble(attempt);
  if (!attempt.evidence.empty()) out += html("<h4>Evidence</h4>{}", evidence_list(page, attempt.evidence));
  out += sent(page, attempt);
  if (!attempt.findings.empty()) out += findings_list(attempt.findings, page.material.limits.findings);
  out += files;
  out += outputs_of(attempt.outputs);
  if (!attempt.commit.empty()) out += html("<p class=\"dim\">Commit <code>{}</code></p>", attempt.commit.substr(0, 12));
  out += html("</details>");
  return out;
}

Html needs_of(const Page& page, const TaskView& task) {
  if (task.needs.empty()) return {};
  Html out = html(" · needs ");
  for (std::size_t i = 0; i < std::min<std::size_t>(task.needs.size(), 12); ++i) {
    if (i > 0) out += html(", ");
    out += task_link(page, task.needs[i]);
  }
  if (task.needs.size() > 12) out += html(" and {} more", task.needs.size() - 12);
  return out;
}

Html task_block(const Page& page, std::size_t place, bool few) {
  const TaskView& task = page.material.view.tasks[place];
  const Look look = look_of(task);
  Html out = html("<article id=\"t{}\" class=\"task {}\"><h3>{} {}</h3><p class=\"meta\">{} · {}{}</p>", place, word(look),
                  one_line(task.id.str(), 120), pill(word(look), task.verdict == Verdict::none ? to_string(task.status) : word(look)),
                  task.agent.str(), to_string(task.phase), needs_of(page, task));
  const auto known = page.history.of_task.find(task.id);
  if (known == page.history.of_task.end()) {
    out += html("<p class=\"dim\">{}</p></article>", one_line(task.reason.empty() ? "It was not tried." : task.reason, 600));
    return out;
  }
  for (const std::size_t attempt : known->second) {
    const bool last = attempt == known->second.back();
    out += attempt_block(page, attempt, last && (few || look == Look::failed || look == Look::error));
  }
  out += html("</article>");
  return out;
}

int urgency(const TaskView& task) {
  switch (look_of(task)) {
    case Look::error:
    case Look::failed: return 0;
    case Look::running: return 1;
    default: return task.round > 1 || task.attempts > 1 ? 2 : task.duration_ms > 0 ? 3 : 4;
  }
}

/// The rest, a line each.
Html others(const Page& page, const std::vector<std::size_t>& shown) {
  const auto& tasks = page.material.view.tasks;
  Html rows;
  std::size_t listed = 0;
  for (std::size_t place = 0, next = 0; place < tasks.size(); ++place) {
    if (next < shown.size() && shown[next] == place) {
      ++next;
      continue;
    }
    if (++listed > page.material.limits.listed_tasks) continue;
    const TaskView& task = tasks[place];
    rows += html("<tr id=\"t{}\"><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>", place, one_line(task.id.str(), 80),
                 pill(word(look_of(task)), to_string(task.status)), duration_text(task.duration_ms));
  }
  if (listed == 0) return {};
  Html out = html(
      "<details class=\"fold\"><summary>{} more tasks</summary><div class=\"scroll\" "
      "tabindex=\"0\"><table><thead><tr><th>Task</th><th>Status</th>"
      "<th class=\"n\">Time</th></tr></thead><tbody>{}</tbody></table></div>",
      grouped(static_cast<std::int64_t>(listed)), rows);
  if (listed > page.material.limits.listed_tasks)
    out += html("<p class=\"note\">and {} more. <code>conductorai why {} TASK</code> shows one.</p>",
                listed - page.material.limits.listed_tasks, page.material.view.id.str());
  out += html("</details>");
  return out;
}

}  // namespace

std::vector<std::size_t> tasks_worth_showing(const Page& page, std::size_t limit) {
  const auto& tasks = page.material.view.tasks;
  std::vector<std::size_t> places(tasks.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (places.size() <= limit) return places;
  std::ranges::sort(places, {}, [&](std::size_t place) { return std::tuple(urgency(tasks[place]), -tasks[place].duration_ms, place); });
  places.resize(limit);
  std::ranges::sort(places);
  return places;
}

Html tasks_section(const Page& page) {
  const auto shown = tasks_worth_showing(page, page.material.limits.detailed_tasks);
  Html out = html("<section id=\"tasks\"><h2>Tasks</h2>");
  for (const std::size_t place : shown) out += task_block(page, place, shown.size() <= kOpenTasks);
  out += others(page, shown);
  out += html("</section>");
  return out;
}

}  // namespace conductorai::report
