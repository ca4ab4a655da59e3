#include <fmt/chrono.h>

#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace {

struct ListOptions {
  std::vector<std::string> statuses;
  std::string name;
  std::size_t limit = 0;
};

Result<WorkflowFilter> filter_of(const ListOptions& options) {
  WorkflowFilter filter{.name = options.name};
  for (std::string text : options.statuses) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c == '-' ? '_' : c;
    bool found = false;
    for (auto status : {WorkflowStatus::pending, WorkflowStatus::in_progress, WorkflowStatus::paused, WorkflowStatus::completed,
                        WorkflowStatus::failed, WorkflowStatus::cancelled})
      if (to_string(status) == text) filter.statuses.push_back(status), found = true;
    if (!found)
      return fail(ErrorCode::invalid_argument, "unknown status: " + text, "--status",
                  "PENDING IN_PROGRESS PAUSED COMPLETED FAILED CANCELLED");
  }
  return filter;
}

std::string table_text(const std::vector<WorkflowSummary>& workflows) {
  Table table({"ID", "NAME", "STATUS", "PHASE", "ROUND", "UPDATED", "OWNER", ""});
  for (const auto& w : workflows) {
    const Color color = w.status == WorkflowStatus::completed ? Color::green
                        : w.status == WorkflowStatus::failed  ? Color::red
                                                              : Color::yellow;
    const bool open = w.status == WorkflowStatus::in_progress || w.status == WorkflowStatus::pending;
    table.add({{w.id.str()},
               {fit(clean_line(w.name), 30)},
               {std::string(to_string(w.status)), color},
               {std::string(to_string(w.phase))},
               {std::to_string(w.round)},
               {fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::chrono::system_clock::to_time_t(w.updated_at)))},
               {w.owner_alive ? clean_line(w.owner)
                : open        ? "none (interrupted)"
                              : "-"},
               {clean_line(w.reason)}});
  }
  return table.text(terminal_columns(), use_colors());
}

int list(const Globals& globals, const ListOptions& options) {
  auto filter = filter_of(options);
  if (!filter) return report(filter.error());
  auto session = Session::open(globals, {});
  // No state yet is an empty list, not a mistake.
  if (!session && session.error().code == ErrorCode::not_found) {
    if (!globals.json) std::cerr << "no workflows yet\n";
    return kOk;
  }
  if (!session) return report(session.error());
  auto workflows = (*session)->all(*filter);
  if (!workflows) return report(workflows.error());
  if (options.limit > 0 && workflows->size() > options.limit) workflows->resize(options.limit);
  if (globals.json) {
    for (const auto& workflow : *workflows) std::cout << summary_line(workflow) << "\n";
    std::cout << std::flush;
  } else if (workflows->empty()) {
    std::cerr << "no workflows yet\n";
  } else {
    std::cout << table_text(*workflows) << std::flush;
  }
  return kOk;
}

}  // namespace

void add_list(CLI::App& app, CommandLine& line) {
  add_command<ListOptions>(
      app, line, "list", "List workflows, newest first",
      [](CLI::App& command, ListOptions& o) {
        command.add_option("--status", o.statuses, "Only those with this status; may be repeated")
            ->type_name("STATUS")
            ->allow_extra_args(false);
        command.add_option("--name", o.name, "Only those with this name")->type_name("NAME");
        command.add_option("--limit", o.limit, "At most so many")->type_name("N");
      },
      list);
}

}  // namespace conductorai::cli
