#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/session.hpp"
#include "definition/workflow_loader.hpp"

namespace conductorai::cli {

namespace {

struct SchemaOptions {
  std::string what = "workflow";
};

int schema(const Globals&, const SchemaOptions& options) {
  if (options.what == "config") {
    std::cout << definition::config_schema() << std::endl;
    return kOk;
  }
  std::cout << definition::workflow_schema(ConductorAI::built_in_agents()) << std::endl;
  return kOk;
}

}  // namespace

void add_schema(CLI::App& app, CommandLine& line) {
  add_command<SchemaOptions>(
      app, line, "schema", "Print the JSON Schema of workflow files or of conductorai.yaml",
      [](CLI::App& command, SchemaOptions& o) {
        command.add_option("WHAT", o.what, "workflow or config")->check(CLI::IsMember({"workflow", "config"}));
      },
      schema);
}

}  // namespace conductorai::cli
