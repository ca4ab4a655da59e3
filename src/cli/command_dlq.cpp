#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "core/json.hpp"

namespace conductorai::cli {

namespace {

struct ListOptions {};
struct ResolveOptions {
  std::int64_t number = 0;
};

std::string letter_line(const DeadLetter& letter) {
  return JsonLine()
      .text("type", "dead_letter")
      .number("id", letter.id)
      .text("channel", letter.channel)
      .text("reason", letter.reason)
      .text_or_null("workflow_id", letter.workflow.str())
      .text("at", core::to_iso8601(letter.at))
      .text("message", letter.message)
      .str();
}

int list(const Globals& globals, const ListOptions&) {
  auto session = Session::open(globals, {});
  if (!session && session.error().code == ErrorCode::not_found) return kOk;
  if (!session) return report(session.error());
  auto letters = (*session)->ai().dead_letters();
  if (!letters) return report(letters.error());
  Table table({"ID", "AT", "REASON", "WORKFLOW", "CHANNEL", "MESSAGE"});
  for (const auto& letter : *letters) {
    if (globals.json)
      std::cout << letter_line(letter) << "\n";
    else
      table.add({{std::to_string(letter.id)},
                 {core::to_iso8601(letter.at)},
                 {clean_line(letter.reason)},
                 {letter.workflow.empty() ? "-" : letter.workflow.str()},
                 {clean_line(letter.channel)},
                 {fit(clean_line(letter.message), 120)}});
  }
  if (!globals.json && !table.empty()) std::cout << table.text(terminal_columns(), use_colors());
  if (!globals.json && table.empty()) std::cerr << "no dead letters\n";
  std::cout << std::flush;
  return kOk;
}

int resolve(const Globals& globals, const ResolveOptions& options, bool requeue) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  if (auto done = (*session)->ai().resolve_dead_letter(options.number, requeue); !done) return report(done.error());
  return kOk;
}
int requeue(const Globals& globals, const ResolveOptions& options) {
  return resolve(globals, options, true);
}
int drop(const Globals& globals, const ResolveOptions& options) {
  return resolve(globals, options, false);
}

void declare_number(CLI::App& command, ResolveOptions& o) {
  command.add_option("NUMBER", o.number, "Number of the letter, as listed")->required();
}

}  // namespace

void add_dlq(CLI::App& app, CommandLine& line) {
  CLI::App* dlq = app.add_subcommand("dlq", "Messages that could not be delivered or handled");
  dlq->require_subcommand(1);
  dlq->fallthrough();
  add_command<ListOptions>(*dlq, line, "list", "List them, oldest first", [](CLI::App&, ListOptions&) {}, list);
  add_command<ResolveOptions>(*dlq, line, "requeue", "Send one again", declare_number, requeue);
  add_command<ResolveOptions>(*dlq, line, "drop", "Forget one", declare_number, drop);
}

}  // namespace conductorai::cli
