#pragma once
// The workflow a command line names: FILE, a folder with workflow.yaml, standard input, or the project's own.

#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/project.hpp"
#include "definition/config.hpp"
#include "definition/workflow_loader.hpp"

namespace conductorai::cli {

struct WorkflowSource {
  std::string file;         // empty: workflow.yaml of the working directory or the project, or none with a requirement
  std::string requirement;  // FILE or "-"
  std::vector<std::string> inputs;
};

/// Declares FILE, --requirement and --input.
void declare_source(CLI::App& command, WorkflowSource& source);

struct SourcedWorkflow {
  definition::LoadedWorkflow loaded;
  std::vector<AgentDescription> agents;
};

/// Loads and checks it, with the configuration laid under it. Every problem is printed; `exit_code` says how to end.
std::optional<SourcedWorkflow> load_source(const WorkflowSource& source, const Project& project, const definition::Config& config,
                                           int& exit_code);

}  // namespace conductorai::cli
