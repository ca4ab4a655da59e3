#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"

namespace conductorai::cli {

namespace {

struct WatchOptions {
  std::string id;
};

int watch(const Globals& globals, const WatchOptions& options) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  auto id = (*session)->find(options.id);
  if (!id) return report(id.error());
  auto definition = (*session)->ai().get_definition(*id);
  if (!definition) return report(definition.error());
  Progress progress(progress_style(globals.json), definition->get());
  (*session)->catch_signals();
  auto read = (*session)->ai().read_events(*id, 1, true, [&](const EventRecord& record) { progress.on_event(record); });
  progress.clear();
  if (!read) return report(read.error());
  if (Session::signal() != 0) return 128 + Session::signal();  // the watcher ends; the workflow goes on
  auto view = (*session)->ai().get_workflow_state(*id);
  if (!view) return report(view.error());
  if (globals.json)
    std::cout << result_line(*view) << std::endl;
  else
    std::cout << summary_text(*view, (*session)->project().state_dir, terminal_columns(), use_colors()) << std::flush;
  return kOk;
}

}  // namespace

void add_watch(CLI::App& app, CommandLine& line) {
  add_command<WatchOptions>(
      app, line, "watch", "Follow a workflow that another process runs",
      [](CLI::App& command, WatchOptions& o) { command.add_option("ID", o.id, "Workflow (default: the newest)"); }, watch);
}

}  // namespace conductorai::cli
