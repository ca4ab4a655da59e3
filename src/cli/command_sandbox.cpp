#include <algorithm>
#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "facade/selftest.hpp"

namespace conductorai::cli {

namespace {

struct SelftestOptions {};

int selftest(const Globals& globals, const SelftestOptions&) {
  auto results = facade::sandbox_selftest();
  if (!results) return report(results.error());
  Table table({"PROBE", "DENIED", ""});
  for (const auto& result : *results) {
    if (globals.json)
      std::cout << JsonLine().text("probe", result.probe).flag("denied", result.denied).text("detail", clean_line(result.detail)).str()
                << "\n";
    else
      table.add({{clean_line(result.probe)},
                 {result.denied ? "yes" : "NO", result.denied ? Color::green : Color::red},
                 {clean_line(result.detail)}});
  }
  if (!globals.json) std::cout << table.text(terminal_columns(), use_colors());
  std::cout << std::flush;
  const auto open = std::ranges::count(*results, false, &facade::ProbeResult::denied);
  if (open > 0)
    std::cerr << "conductorai: error: " << open << " of " << results->size() << " escapes were not denied\n";
  else if (!globals.json)
    std::cerr << "all " << results->size() << " escapes were denied\n";
  return open == 0 && !results->empty() ? int{kOk} : int{kFailed};
}

}  // namespace

void add_sandbox(CLI::App& app, CommandLine& line) {
  CLI::App* sandbox = app.add_subcommand("sandbox", "The sandbox that generated code runs in");
  sandbox->require_subcommand(1);
  sandbox->fallthrough();
  add_command<SelftestOptions>(
      *sandbox, line, "selftest", "Try to escape from it in every way we know", [](CLI::App&, SelftestOptions&) {}, selftest);
}

}  // namespace conductorai::cli
