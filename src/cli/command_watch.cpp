#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "cli/summary.hpp"

namespace conductorai::cli {

namespace {

struct WatchOptions {
  std::string id;
};

int watch(const Globals& globals, const WatchOptions& options) {
  auto opened = open_workflow(globals, options.id);
  if (!opened) return report(opened.error());
  auto& [session, id] = *opened;
  auto definition = session->ai().get_definition(id);
  if (!definition) return report(definition.error());
  Progress progress(progress_style(globals.json), definition->get(), AnswerText::shown);
  session->catch_signals();
  std::function<void(const AnswerPiece&)> on_text;
  if (!globals.json) on_text = [&](const AnswerPiece& piece) { progress.on_text(piece); };
  auto read = session->ai().read_events(id, 1, true, [&](const EventRecord& record) { progress.on_event(record); }, on_text);
  progress.clear();
  if (!read) return report(read.error());
  if (Session::signal() != 0) return 128 + Session::signal();  // the watcher ends; the workflow goes on
  auto view = session->ai().get_workflow_state(id);
  if (!view) return report(view.error());
  print_view(*view, session->project().state_dir, globals.json);
  return kOk;
}

}  // namespace

void add_watch(CLI::App& app, CommandLine& line) {
  add_command<WatchOptions>(
      app, line, "watch", "Follow a workflow that another process runs",
      [](CLI::App& command, WatchOptions& o) { command.add_option("ID", o.id, "Workflow (default: the newest)"); }, watch);
}

}  // namespace conductorai::cli
