#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"

namespace conductorai::cli {

namespace {

struct StatusOptions {
  std::string id;
};

int status(const Globals& globals, const StatusOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto id = (*session)->find(options.id);
  if (!id) return report(id.error());
  auto view = (*session)->ai().get_workflow_state(*id);
  if (!view) return report(view.error());
  if (globals.json)
    std::cout << result_line(*view) << std::endl;
  else
    std::cout << summary_text(*view, (*session)->project().state_dir, terminal_columns(), use_colors()) << std::flush;
  return kOk;
}

}  // namespace

void add_status(CLI::App& app, CommandLine& line) {
  add_command<StatusOptions>(
      app, line, "status", "Show a workflow as it stands",
      [](CLI::App& command, StatusOptions& o) { command.add_option("ID", o.id, "Workflow, or a unique prefix (default: the newest)"); },
      status);
}

}  // namespace conductorai::cli
