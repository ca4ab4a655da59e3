#include <fmt/format.h>

#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_lines.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/workflow_source.hpp"

namespace conductorai::cli {

namespace {

int validate(const Globals& globals, const WorkflowSource& source) {
  const Project project = find_project(".", globals.state_dir);
  auto config = load_configuration(globals, project, {});
  if (!config) return report(config.error());
  int code = kOk;
  auto sourced = load_source(source, project, *config, code);
  if (!sourced) return code;
  for (const auto& warning : sourced->loaded.warnings) warn(*config, warning);
  const auto& definition = sourced->loaded.definition;
  if (globals.json) {
    std::cout << JsonLine()
                     .text("type", "validation")
                     .text("name", definition.name)
                     .flag("valid", true)
                     .number("tasks", static_cast<std::int64_t>(definition.tasks.size()))
                     .number("warnings", static_cast<std::int64_t>(sourced->loaded.warnings.size()))
                     .str()
              << "\n";
    return kOk;
  }
  std::cout << fmt::format("{}: valid, {} tasks\n", clean_line(definition.name), definition.tasks.size());
  return kOk;
}

}  // namespace

void add_validate(CLI::App& app, CommandLine& line) {
  add_command<WorkflowSource>(app, line, "validate", "Check a workflow file without running it", declare_source, validate);
}

}  // namespace conductorai::cli
