#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/workflow_source.hpp"
#include "definition/plan.hpp"

namespace conductorai::cli {

namespace {

int plan(const Globals& globals, const WorkflowSource& source) {
  const Project project = find_project(".", globals.state_dir);
  auto config = load_configuration(globals, project, {});
  if (!config) return report(config.error());
  int code = kOk;
  auto sourced = load_source(source, project, *config, code);
  if (!sourced) return code;
  const auto planned = definition::make_plan(sourced->loaded.definition, sourced->agents);
  if (globals.json)
    std::cout << definition::to_json(planned) << std::endl;
  else
    std::cout << clean_text(definition::to_text(planned)) << std::flush;
  return kOk;
}

}  // namespace

void add_plan(CLI::App& app, CommandLine& line) {
  add_command<WorkflowSource>(app, line, "plan", "Show what a run would do: order, gates, model calls at worst", declare_source, plan);
}

}  // namespace conductorai::cli
