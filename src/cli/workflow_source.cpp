#include "cli/workflow_source.hpp"

#include <iostream>
#include <iterator>

#include "cli/exit_code.hpp"
#include "cli/session.hpp"

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kNames[] = {"workflow.yaml", "workflow.yml", "workflow.json"};

std::optional<fs::path> workflow_in(const fs::path& folder) {
  std::error_code error;
  for (const char* name : kNames)
    if (fs::is_regular_file(folder / name, error)) return folder / name;
  return std::nullopt;
}

std::string standard_input() {
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

/// What stands for `source.file`. Errors: not_found.
Result<std::optional<fs::path>> chosen_file(const WorkflowSource& source, const Project& project) {
  std::error_code error;
  if (!source.file.empty()) {
    if (!fs::is_directory(source.file, error)) return fs::path(source.file);
    if (auto inside = workflow_in(source.file)) return inside;
    return fail(ErrorCode::not_found, "the folder holds no workflow.yaml", source.file);
  }
  if (!source.requirement.empty()) return std::optional<fs::path>{};
  if (auto here = workflow_in(".")) return here->lexically_normal();
  if (auto own = workflow_in(project.root)) return own;
  return fail(ErrorCode::not_found, "no workflow file was given and there is no workflow.yaml", project.root.string(),
              "name one, or give --requirement FILE; conductorai init writes one to start from");
}

}  // namespace

void declare_source(CLI::App& command, WorkflowSource& source) {
  command.add_option("FILE", source.file, "Workflow file, a folder that holds workflow.yaml, or - (default: the project's workflow.yaml)");
  command.add_option("--requirement", source.requirement, "What is wanted, from a file or - for standard input")->type_name("FILE|-");
  command.add_option("--input", source.inputs, "Sets an input of the workflow; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

std::optional<SourcedWorkflow> load_source(const WorkflowSource& source, const Project& project, const definition::Config& config,
                                           int& exit_code) {
  auto failed = [&](const Error& error) {
    exit_code = report(error);
    return std::nullopt;
  };
  definition::LoadRequest request{.project_root = project.root, .inputs = source.inputs};
  if (source.file == "-" && source.requirement == "-")
    return failed({.code = ErrorCode::invalid_argument, .message = "workflow and requirement cannot both come from standard input"});
  auto file = chosen_file(source, project);
  if (!file) return failed(file.error());
  request.file = *file;
  if (source.file == "-") request.text = standard_input();
  if (source.requirement == "-")
    request.requirement = standard_input();
  else if (!source.requirement.empty())
    request.requirement_file = source.requirement;
  request.agents = ConductorAI::built_in_agents();
  auto loaded = definition::load_workflow(request);
  if (!loaded) {
    for (const Error& problem : loaded.error()) exit_code = report(problem);
    return std::nullopt;
  }
  definition::apply_config(config, loaded->definition);
  return SourcedWorkflow{.loaded = std::move(*loaded), .agents = std::move(request.agents)};
}

}  // namespace conductorai::cli
