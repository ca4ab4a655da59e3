#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/session.hpp"
#include "cli/summary.hpp"

namespace conductorai::cli {

namespace {

struct StatusOptions {
  std::string id;
};

int status(const Globals& globals, const StatusOptions& options) {
  auto opened = open_workflow(globals, options.id);
  if (!opened) return report(opened.error());
  auto& [session, id] = *opened;
  auto view = session->ai().get_workflow_state(id);
  if (!view) return report(view.error());
  print_view(*view, session->project().state_dir, globals.json);
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
