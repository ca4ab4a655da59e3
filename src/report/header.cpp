#include <fmt/format.h>

#include "base/human.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

std::string_view look_of(WorkflowStatus status) {
  switch (status) {
    case WorkflowStatus::completed: return "passed";
    case WorkflowStatus::failed: return "failed";
    case WorkflowStatus::in_progress: return "running";
    case WorkflowStatus::paused: return "waiting";
    default: return "skipped";
  }
}

Html fact(std::string_view label, const Html& value) {
  return html("<div><dt>{}</dt><dd>{}</dd></div>", label, value);
}
Html fact(std::string_view label, std::string_view value) {
  return fact(label, html("{}", value));
}

/// Counts of the newest test report of each task, added up.
std::string tests_text(const WorkflowView& view) {
  std::int64_t passed = 0, failed = 0;
  for (const TaskView& task : view.tasks)
    for (const Evidence& evidence : task.evidence) {
      if (evidence.kind != "test_report") continue;
      passed += evidence.passed.value_or(0);
      failed += evidence.failed.value_or(0);
    }
  if (passed + failed == 0) return "";
  return failed == 0 ? fmt::format("{} passed", passed) : fmt::format("{} of {} failed", failed, passed + failed);
}

Html outcome_facts(const Page& page) {
  const WorkflowView& view = page.material.view;
  Html out = fact("Duration", duration_text(view.duration_ms));
  out += fact("Rounds", std::to_string(view.rounds));
  out += fact("Feedback loops", std::to_string(view.feedback_loops));
  if (page.history.repair_ms) out += fact("Time to repair", duration_text(*page.history.repair_ms));
  if (page.history.repairing) out += fact("Time to repair", "not yet repaired");
  out += fact("Tasks", grouped(static_cast<std::int64_t>(view.tasks.size())));
  if (const std::string tests = tests_text(view); !tests.empty()) out += fact("Tests", tests);
  out += fact("Model calls", grouped(view.usage.calls));
  out += fact("Tokens", grouped(view.usage.input_tokens + view.usage.output_tokens));
  if (view.usage.usd_micros > 0) out += fact("Cost", fmt::format("{:.4f} USD", static_cast<double>(view.usage.usd_micros) / 1e6));
  return out;
}

Html where_facts(const Page& page) {
  const WorkflowView& view = page.material.view;
  Html out = fact("Workflow", html("<code>{}</code>", view.id.str()));
  out += fact("Started", time_text(view.started_at));
  if (!view.branch.empty()) out += fact("Branch", html("<code>{}</code>", view.branch));
  if (!view.commit.empty()) out += fact("Commit", html("<code>{}</code>", view.commit.substr(0, 12)));
  if (!view.owner.empty()) out += fact("Owner", view.owner);
  return out;
}

Html notices(const Page& page) {
  const WorkflowView& view = page.material.view;
  Html out;
  if (!view.reason.empty())
    out += html("<p class=\"notice {}\"><b>{}</b> {}</p>", look_of(view.status),
                view.status == WorkflowStatus::failed ? "Why it failed" : "Why", one_line(view.reason, 2000));
  for (const ApprovalView& approval : view.approvals)
    out += html("<p class=\"notice waiting\"><b>Approval</b> {}{} <code>conductorai approve {} {}</code></p>", one_line(approval.subject),
                approval.reason.empty() ? "" : ": " + one_line(approval.reason), view.id.str(), approval.id.str());
  for (const std::string& warning : view.warnings)
    out += html("<p class=\"notice waiting\"><b>Warning</b> {}</p>", one_line(warning, 2000));
  return out;
}

Html requirement(const Page& page) {
  const auto& definition = page.material.definition;
  if (!definition || definition->requirement.empty()) return {};
  return html("<details class=\"requirement\"><summary>Requirement</summary><pre class=\"text\" tabindex=\"0\">{}</pre></details>",
              std::string_view(definition->requirement).substr(0, page.material.limits.artifact_bytes));
}

}  // namespace

Html header_section(const Page& page) {
  const WorkflowView& view = page.material.view;
  const auto& definition = page.material.definition;
  Html out = html("<header><p class=\"over\">ConductorAI report</p><h1>{} {}</h1>", one_line(view.name, 160),
                  pill(look_of(view.status), to_string(view.status)));
  if (definition && !definition->description.empty()) out += html("<p class=\"lead\">{}</p>", one_line(definition->description, 600));
  out += notices(page);
  out +=
      html("<dl class=\"facts\">{}</dl><dl class=\"where\">{}</dl>{}</header>", outcome_facts(page), where_facts(page), requirement(page));
  return out;
}

}  // namespace conductorai::report
