#include "cli/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "cli/json_lines.hpp"
#include "cli/report_file.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

constexpr std::size_t kRowsMax = 40;

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

bool went_well(const TaskView& task) {
  return task.status == TaskStatus::completed && task.verdict != Verdict::failed;
}

/// "exit code 0", "7 tests passed"; what has no figures in its own words.
std::string evidence_words(const Evidence& evidence) {
  if (evidence.kind == "exit_code" && evidence.value) return fmt::format("exit code {}", *evidence.value);
  if (evidence.kind == "test_report" && evidence.passed && evidence.failed)
    return *evidence.failed == 0 ? fmt::format("{} tests passed", *evidence.passed)
                                 : fmt::format("{} of {} tests failed", *evidence.failed, *evidence.passed + *evidence.failed);
  return evidence.summary.empty() ? evidence.kind : evidence.summary;
}

/// Why it stands where it does: what went well is told by its evidence, what did not in its own words.
std::string why_of(const TaskView& task) {
  if (!task.reason.empty()) return task.reason;
  if (!went_well(task) || task.evidence.empty()) return task.summary;
  // What the objective says of all probes together says enough of those that hold it.
  const bool judged = std::ranges::find(task.evidence, "slo", &Evidence::kind) != task.evidence.end();
  std::string out;
  for (const Evidence& evidence : task.evidence)
    if (!judged || evidence.kind != "probes") out += (out.empty() ? "" : ", ") + evidence_words(evidence);
  return out;
}

std::string round_text(const TaskView& task) {
  return task.attempts > 1 ? fmt::format("{}, try {}", task.round, task.attempts) : std::to_string(task.round);
}

std::string task_table(const WorkflowView& view, std::size_t width, bool colors) {
  Table table({"TASK", "STATUS", "VERDICT", "ROUND", "TIME", "EVIDENCE"});
  // Of very many only what did not go well is of interest.
  const bool many = view.tasks.size() > kRowsMax;
  std::size_t shown = 0;
  for (const auto& task : view.tasks) {
    if (many && (went_well(task) || shown >= kRowsMax)) continue;
    ++shown;
    table.add({{clean_line(task.id.str())},
               {std::string(to_string(task.status)), color_of(task)},
               {task.verdict == Verdict::none ? "-" : std::string(to_string(task.verdict)), color_of(task)},
               {round_text(task)},
               {task.duration_ms > 0 ? duration_text(task.duration_ms) : "-"},
               {clean_line(why_of(task))}});
  }
  std::string out = table.empty() ? "" : "\n" + table.text(width, colors);
  if (shown < view.tasks.size()) {
    const auto well = std::ranges::count_if(view.tasks, went_well);
    out += fmt::format("\n{} of {} tasks went well\n", well, view.tasks.size());
  }
  return out;
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

std::string release_lines(const WorkflowView& view) {
  std::string out;
  if (!view.release) return out;
  const ReleaseInfo& release = *view.release;
  const std::string id = quoted(clean_line(release.id));
  add_line(out, "release",
           fmt::format("{} {}{}", to_string(release.state), clean_line(release.url.empty() ? release.id : release.url),
                       release.reason.empty() ? "" : " – " + clean_line(release.reason)));
  if (release.state == ReleaseState::serving || release.state == ReleaseState::degraded)
    add_line(out, "stop it", "conductorai releases stop " + id);
  return out;
}

std::string record_lines(const WorkflowView& view, const std::filesystem::path& state_dir) {
  std::string out;
  const std::string id = view.id.str();
  std::error_code error;
  const auto report = report_path(state_dir, view.id);
  add_line(out, "report", std::filesystem::exists(report, error) ? report.string() : "conductorai report " + id);
  add_line(out, "journal", "conductorai events " + id);
  add_line(out, "artifacts", fmt::format("conductorai artifacts list {}   ({})", id, (state_dir / "artifacts").string()));
  return out;
}

/// Which amount of a budget the reason says is used up.
std::string exhausted(const std::string& reason) {
  for (const char* amount : {"calls", "tokens", "usd", "wall-minutes"})
    if (reason.find(std::string(": ") + amount + ": ") != std::string::npos) return amount;
  return "calls";
}

std::string next_step(const WorkflowView& view) {
  const std::string id = view.id.str();
  if (!view.approvals.empty()) return fmt::format("conductorai approve {} {}", id, view.approvals.front().id.str());
  if (view.paused_for == PauseKind::budget && view.reason.find(": project/") != std::string::npos)
    return "conductorai resume " + id + " tomorrow (UTC), with --add-budget " + exhausted(view.reason) +
           "-per-day=N, or with a higher budget.*-per-day in conductorai.yaml";
  if (view.paused_for == PauseKind::budget) return "conductorai resume " + id + " --add-budget " + exhausted(view.reason) + "=N";
  if (view.status == WorkflowStatus::paused || (view.status == WorkflowStatus::in_progress && view.owner.starts_with("none")))
    return "conductorai resume " + id;
  if (view.status == WorkflowStatus::failed) return "conductorai why " + id;
  return "";
}

std::string headline(const WorkflowView& view, bool colors) {
  std::string out = fmt::format("{}  {}  {}  {} round{}", clean_line(view.name), clean_line(view.id.str()),
                                colored(to_string(view.status), color_of(view.status), colors), view.rounds, view.rounds == 1 ? "" : "s");
  if (view.feedback_loops > 0) out += fmt::format(", {} feedback loop{}", view.feedback_loops, view.feedback_loops == 1 ? "" : "s");
  return out + ", " + duration_text(view.duration_ms) + "\n";
}

}  // namespace

std::string usage_text(const Usage& usage) {
  std::string out = fmt::format("{} model calls, {} tokens in, {} out", usage.calls, usage.input_tokens, usage.output_tokens);
  if (usage.cached_calls > 0) out += fmt::format(", {} answered from the record", usage.cached_calls);
  if (usage.unknown_calls > 0) out += fmt::format(", {} with unknown outcome", usage.unknown_calls);
  if (usage.usd_micros > 0) out += fmt::format(", {:.4f} USD", static_cast<double>(usage.usd_micros) / 1e6);
  return out;
}

void print_view(const WorkflowView& view, const std::filesystem::path& state_dir, bool json) {
  if (json)
    std::cout << result_line(view) << std::endl;
  else
    std::cout << summary_text(view, state_dir, terminal_columns(), use_colors()) << std::flush;
}

std::string summary_text(const WorkflowView& view, const std::filesystem::path& state_dir, std::size_t width, bool colors) {
  std::string out = headline(view, colors);
  out += task_table(view, width, colors) + "\n";
  add_line(out, "reason", clean_line(view.reason));
  if (view.error) add_line(out, "hint", clean_line(view.error->hint));
  for (const auto& warning : view.warnings) add_line(out, "warning", clean_line(warning));
  for (const auto& approval : view.approvals)
    add_line(out, "approval",
             clean_line(approval.id.str() + ": " + approval.subject + (approval.reason.empty() ? "" : " – " + approval.reason)));
  if (view.forked_from)
    add_line(out, "forked", fmt::format("from {} before event {}", view.forked_from->workflow.str(), view.forked_from->seq));
  out += release_lines(view);
  out += workspace_lines(view);
  add_line(out, "usage", usage_text(view.usage));
  add_line(out, "owner", clean_line(view.owner));
  if (!state_dir.empty()) {
    out += record_lines(view, state_dir);
    add_line(out, "next", next_step(view));
  }
  return out;
}

}  // namespace conductorai::cli
