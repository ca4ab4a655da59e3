#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

constexpr std::size_t kExcerptLines = 15;

struct WhyOptions {
  std::string id, task;
};

bool needs_a_word(const TaskView& task) {
  if (task.verdict == Verdict::failed) return true;
  switch (task.status) {
    case TaskStatus::completed:
    case TaskStatus::cancelled: return false;
    default: return true;
  }
}

std::string indented(const std::string& text) {
  std::string out;
  std::size_t start = 0;
  while (start < text.size()) {
    auto end = std::min(text.find('\n', start), text.size());
    out += "    | " + text.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return out;
}

/// The end of what the evidence was read from: where failures say what they are.
std::string excerpt(ConductorAI& ai, const Digest& digest) {
  if (digest.empty()) return "";
  auto bytes = ai.get_artifact(digest);
  return bytes ? indented(clean_tail(*bytes, kExcerptLines)) : "    | " + clean_line(to_string(bytes.error())) + "\n";
}

std::string evidence_text(ConductorAI& ai, const TaskView& task) {
  std::string out;
  std::vector<Digest> shown;
  for (const auto& evidence : task.evidence) {
    out += fmt::format("  {}: {}{}\n", clean_line(evidence.kind), clean_line(evidence.summary),
                       evidence.artifact.empty() ? "" : "  (" + evidence.artifact.str().substr(0, 19) + ")");
    if (task.verdict != Verdict::failed && task.status != TaskStatus::failed) continue;
    if (std::ranges::count(shown, evidence.artifact) > 0) continue;
    shown.push_back(evidence.artifact);
    out += excerpt(ai, evidence.artifact);
  }
  // A task that failed without evidence still has its logs.
  if (task.evidence.empty() && task.status == TaskStatus::failed)
    for (const auto& artifact : task.artifacts)
      if (artifact.type == "log") out += "  " + clean_line(artifact.name) + "\n" + excerpt(ai, artifact.digest);
  return out;
}

std::string task_text(ConductorAI& ai, const TaskView& task) {
  std::string state(to_string(task.status));
  if (task.verdict != Verdict::none) state += ", verdict " + std::string(to_string(task.verdict));
  const std::string why = clean_line(task.reason.empty() ? task.summary : task.reason);
  std::string out =
      fmt::format("{} ({}): {}{}\n", clean_line(task.id.str()), clean_line(task.agent.str()), state, why.empty() ? "" : " – " + why);
  if (task.status == TaskStatus::blocked || task.status == TaskStatus::pending) {
    std::string needs;
    for (const auto& need : task.needs) needs += (needs.empty() ? "" : ", ") + clean_line(need.str());
    if (!needs.empty() && why.empty()) out += "  needs " + needs + "\n";
  }
  return out + evidence_text(ai, task);
}

std::string headline(const WorkflowView& view) {
  std::string out = fmt::format("{} {}: {}", clean_line(view.name), view.id.str(), to_string(view.status));
  if (!view.reason.empty()) out += " – " + clean_line(view.reason);
  out += "\n";
  if (view.error && !view.error->hint.empty()) out += "hint: " + clean_line(view.error->hint) + "\n";
  if (!view.owner.empty()) out += "owner: " + clean_line(view.owner) + "\n";
  for (const auto& approval : view.approvals)
    out += fmt::format("waits for approval {} of {}{}\n", clean_line(approval.id.str()), clean_line(approval.subject),
                       approval.reason.empty() ? "" : ": " + clean_line(approval.reason));
  for (const auto& warning : view.warnings) out += "warning: " + clean_line(warning) + "\n";
  return out;
}

int why(const Globals& globals, const WhyOptions& options) {
  auto opened = open_workflow(globals, options.id);
  if (!opened) return report(opened.error());
  auto& [session, id] = *opened;
  ConductorAI& ai = session->ai();
  auto view = ai.get_workflow_state(id);
  if (!view) return report(view.error());
  if (globals.json) {
    std::cout << result_line(*view) << std::endl;
    return kOk;
  }
  std::string out = headline(*view);
  bool found = options.task.empty();
  for (const auto& task : view->tasks) {
    const bool named = task.id.str() == options.task;
    found = found || named;
    if (options.task.empty() ? needs_a_word(task) : named) out += "\n" + task_text(ai, task);
  }
  if (!found) return report({.code = ErrorCode::not_found, .message = "the workflow has no task " + options.task, .where = id.str()});
  if (options.task.empty() && view->status == WorkflowStatus::completed) out += "every task is done\n";
  std::cout << out << std::flush;
  return kOk;
}

}  // namespace

void add_why(CLI::App& app, CommandLine& line) {
  add_command<WhyOptions>(
      app, line, "why", "Say why a workflow or task waits or failed, with the evidence",
      [](CLI::App& command, WhyOptions& o) {
        command.add_option("ID", o.id, "Workflow (default: the newest)");
        command.add_option("TASK", o.task, "Only this task");
      },
      why);
}

}  // namespace conductorai::cli
