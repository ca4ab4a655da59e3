#include "cli/summary.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

Color color_of(WorkflowStatus status) {
  if (status == WorkflowStatus::completed) return Color::green;
  if (status == WorkflowStatus::failed || status == WorkflowStatus::cancelled) return Color::red;
  return Color::yellow;
}

Color color_of(const TaskView& task) {
  if (task.status == TaskStatus::failed || task.verdict == Verdict::failed) return Color::red;
  if (task.status == TaskStatus::completed) return Color::green;
  if (task.status == TaskStatus::in_progress || task.status == TaskStatus::paused) return Color::yellow;
  return Color::dim;
}

std::string task_table(const WorkflowView& view, std::size_t width, bool colors) {
  Table table({"TASK", "AGENT", "STATUS", "VERDICT", "ROUND", "TRIES", "TIME", ""});
  for (const auto& task : view.tasks)
    table.add({{clean_line(task.id.str())},
               {clean_line(task.agent.str())},
               {std::string(to_string(task.status)), color_of(task)},
               {task.verdict == Verdict::none ? "-" : std::string(to_string(task.verdict)), color_of(task)},
               {std::to_string(task.round)},
               {std::to_string(task.attempts)},
               {task.duration_ms > 0 ? duration_text(task.duration_ms) : "-"},
               {clean_line(task.reason.empty() ? task.summary : task.reason)}});
  return table.empty() ? "" : "\n" + table.text(width, colors);
}

std::string quoted(const std::string& text) {
  if (text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+,=") == std::string::npos) return text;
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void add_line(std::string& out, std::string_view label, const std::string& text) {
  if (!text.empty()) out += fmt::format("{:<10} {}\n", label, text);
}

std::string workspace_lines(const WorkflowView& view) {
  std::string out;
  if (view.branch.empty() || view.commit.empty()) return out;
  const std::string repo = quoted(clean_line(view.repo.string())), branch = clean_line(view.branch);
  add_line(out, "branch", fmt::format("{} at {} in {}", branch, view.commit.substr(0, 12), repo));
  add_line(out, "look at it", fmt::format("git -C {} log --stat {}", repo, view.commit.substr(0, 12)));
  return out;
}

std::string next_step(const WorkflowView& view) {
  const std::string id = view.id.str();
  if (!view.approvals.empty()) return fmt::format("conductorai approve {} {}", id, view.approvals.front().id.str());
  if (view.paused_for == PauseKind::budget) return "conductorai resume " + id + " --add-budget calls=N (or wall-minutes=N)";
  if (view.status == WorkflowStatus::paused || (view.status == WorkflowStatus::in_progress && view.owner.starts_with("none")))
    return "conductorai resume " + id;
  if (view.status == WorkflowStatus::failed) return "conductorai why " + id;
  return "";
}

}  // namespace

std::string usage_text(const Usage& usage) {
  std::string out = fmt::format("{} model calls, {} tokens in, {} out", usage.calls, usage.input_tokens, usage.output_tokens);
  if (usage.cached_calls > 0) out += fmt::format(", {} answered from the record", usage.cached_calls);
  if (usage.unknown_calls > 0) out += fmt::format(", {} with unknown outcome", usage.unknown_calls);
  if (usage.usd_micros > 0) out += fmt::format(", {:.4f} USD", static_cast<double>(usage.usd_micros) / 1e6);
  return out;
}

std::string summary_text(const WorkflowView& view, const std::filesystem::path& state_dir, std::size_t width, bool colors) {
  std::string out = fmt::format("{}  {}  {}  {} round{}, {}\n", clean_line(view.name), clean_line(view.id.str()),
                                colored(to_string(view.status), color_of(view.status), colors), view.rounds, view.rounds == 1 ? "" : "s",
                                duration_text(view.duration_ms));
  out += task_table(view, width, colors) + "\n";
  add_line(out, "reason", clean_line(view.reason));
  for (const auto& warning : view.warnings) add_line(out, "warning", clean_line(warning));
  for (const auto& approval : view.approvals)
    add_line(out, "approval",
             clean_line(approval.id.str() + ": " + approval.subject + (approval.reason.empty() ? "" : " – " + approval.reason)));
  out += workspace_lines(view);
  add_line(out, "usage", usage_text(view.usage));
  add_line(out, "owner", clean_line(view.owner));
  if (!state_dir.empty()) {
    add_line(out, "journal", "conductorai events " + view.id.str());
    add_line(out, "artifacts", fmt::format("conductorai artifacts list {}   ({})", view.id.str(), (state_dir / "artifacts").string()));
  }
  if (!state_dir.empty()) add_line(out, "next", next_step(view));
  return out;
}

}  // namespace conductorai::cli
