#include <algorithm>
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

/// An attempt that was requeued waits in its workflow, which nobody drives now.
void tell_how_to_go_on(ConductorAI& ai, const WorkflowId& workflow) {
  auto view = ai.get_workflow_state(workflow);
  if (view && view->status == WorkflowStatus::in_progress && (view->owner.empty() || view->owner.starts_with("none")))
    std::cerr << "to go on: conductorai resume " << workflow.str() << "\n";
}

int resolve(const Globals& globals, const ResolveOptions& options, bool requeue) {
  auto session = Session::open(globals, {});
  if (!session) return report(session.error());
  ConductorAI& ai = (*session)->ai();
  auto letters = ai.dead_letters();
  if (!letters) return report(letters.error());
  const auto letter = std::ranges::find(*letters, options.number, &DeadLetter::id);
  if (auto done = ai.resolve_dead_letter(options.number, requeue); !done) return report(done.error());
  if (requeue && letter != letters->end() && !letter->workflow.empty()) tell_how_to_go_on(ai, letter->workflow);
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
