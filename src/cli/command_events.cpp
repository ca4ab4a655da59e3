#include <iostream>

#include "cli/command.hpp"
#include "cli/event_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"

namespace conductorai::cli {

namespace {

struct EventsOptions {
  std::string id;
  std::uint64_t from = 1;
  bool follow = false;
};

int events(const Globals& globals, const EventsOptions& options) {
  auto opened = open_workflow(globals, options.id);
  if (!opened) return report(opened.error());
  auto& [session, id] = *opened;
  if (options.follow) session->catch_signals();
  auto read = session->ai().read_events(id, options.from, options.follow, [&](const EventRecord& record) {
    if (globals.json)
      std::cout << event_line(record) << "\n";
    else
      std::cout << record.seq << "  " << event_text_with_time(record) << "\n";
    if (options.follow) std::cout << std::flush;
  });
  std::cout << std::flush;
  if (!read) return report(read.error());
  return Session::signal() != 0 ? 128 + Session::signal() : int{kOk};
}

}  // namespace

void add_events(CLI::App& app, CommandLine& line) {
  add_command<EventsOptions>(
      app, line, "events", "Print a workflow's journal",
      [](CLI::App& command, EventsOptions& o) {
        command.add_option("ID", o.id, "Workflow (default: the newest)");
        command.add_option("--from", o.from, "Start at this sequence number")->type_name("SEQ");
        command.add_flag("--follow,-f", o.follow, "Go on until the workflow ends or stops");
      },
      events);
}

}  // namespace conductorai::cli
