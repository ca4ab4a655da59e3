#include <fmt/chrono.h>

#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/retention.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "core/json.hpp"

namespace conductorai::cli {

namespace {

struct PruneOptions {
  std::string older_than, keep;
  bool dry_run = false;
};

JsonLine line_of(std::string_view type, const WorkflowSummary& workflow) {
  JsonLine line;
  line.text("type", type)
      .text("workflow_id", workflow.id.str())
      .text("name", workflow.name)
      .text("status", to_string(workflow.status))
      .text("updated_at", core::to_iso8601(workflow.updated_at));
  return line;
}

void print_lines(const PruneReport& report, bool dry_run) {
  for (const auto& workflow : report.removed) std::cout << line_of("pruned", workflow).flag("dry_run", dry_run).str() << "\n";
  for (const auto& kept : report.kept) std::cout << line_of("kept", kept.workflow).text("reason", kept.reason).str() << "\n";
  std::cout << JsonLine()
                   .text("type", "prune")
                   .number("removed", static_cast<std::int64_t>(report.removed.size()))
                   .number("kept", static_cast<std::int64_t>(report.kept.size()))
                   .number("freed_bytes", report.freed_bytes)
                   .flag("dry_run", dry_run)
                   .str()
            << std::endl;
}

void print_table(const PruneReport& report, bool dry_run) {
  Table table({"ID", "NAME", "STATUS", "UPDATED", ""});
  const auto add = [&](const WorkflowSummary& workflow, const std::string& what) {
    table.add({{workflow.id.str()},
               {fit(clean_line(workflow.name), 30)},
               {std::string(to_string(workflow.status))},
               {fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::chrono::system_clock::to_time_t(workflow.updated_at)))},
               {clean_line(what)}});
  };
  for (const auto& workflow : report.removed) add(workflow, dry_run ? "would go" : "removed");
  for (const auto& kept : report.kept) add(kept.workflow, "stays: " + kept.reason);
  if (!report.removed.empty() || !report.kept.empty()) std::cout << table.text(terminal_columns(), use_colors());
  std::cout << (dry_run ? "would remove " : "removed ") << report.removed.size() << ", kept " << report.kept.size();
  if (!dry_run) std::cout << fmt::format(", freed {:.1f} MiB", static_cast<double>(report.freed_bytes) / (1 << 20));
  std::cout << std::endl;
}

int remove_ended(const Globals& globals, const PruneOptions& options) {
  SessionRequest request;
  if (!options.older_than.empty()) request.flags["retention.older-than"] = options.older_than;
  if (!options.keep.empty()) request.flags["retention.keep"] = options.keep;
  auto session = Session::open(globals, std::move(request));
  if (!session) return report(session.error());
  auto pruned = prune(**session, options.dry_run);
  if (!pruned) return report(pruned.error());
  globals.json ? print_lines(*pruned, options.dry_run) : print_table(*pruned, options.dry_run);
  return kOk;
}

}  // namespace

void add_prune(CLI::App& app, CommandLine& line) {
  add_command<PruneOptions>(
      app, line, "prune", "Remove ended workflows with all that was kept of them; what serves, and branches in your repositories, stays",
      [](CLI::App& command, PruneOptions& o) {
        command.add_option("--older-than", o.older_than, "Only those that ended longer ago: 30d, 12h")->type_name("DURATION");
        command.add_option("--keep", o.keep, "Not those that ended last, so many of them")->type_name("N");
        command.add_flag("--dry-run", o.dry_run, "Tell what would go, and remove nothing");
      },
      remove_ended);
}

}  // namespace conductorai::cli
