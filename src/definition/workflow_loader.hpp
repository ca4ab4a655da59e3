#pragma once
// Workflow files (docs/formats/workflow.md) into WorkflowDefinitions, everything that can be checked before a run checked.

#include <cstddef>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/base_agent.hpp"
#include "conductorai/definition.hpp"
#include "conductorai/result.hpp"
#include "core/document/document.hpp"

namespace conductorai::definition {

/// What is known before the file is read. Without `file` and `text` the workflow is the seven standard tasks for a requirement.
struct LoadRequest {
  std::optional<std::filesystem::path> file;              // as the user gave it: relative to the working directory
  std::optional<std::string> text;                        // instead of reading `file`, which then only names it ("-": standard input)
  std::optional<std::string> requirement;                 // text; takes the place of the file's own
  std::optional<std::filesystem::path> requirement_file;  // relative to the working directory
  std::filesystem::path project_root = ".";               // what paths inside the file refer to
  std::vector<std::string> inputs;                        // "NAME=VALUE", VALUE read as a YAML scalar
  std::vector<AgentDescription> agents;                   // those registered
  std::size_t requirement_bytes_max = std::size_t{1} << 20;
};

struct LoadedWorkflow {
  WorkflowDefinition definition;
  std::vector<std::string> warnings;  // one sentence each
};

/// All that is wrong, in file order; never empty. Each prints as "WHAT (WHERE)" and a hint.
using Problems = std::vector<Error>;

/// Errors: invalid_argument (`where` is FILE:line:column, or the flag), not_found, permission_denied (files).
std::expected<LoadedWorkflow, Problems> load_workflow(const LoadRequest& request);

/// "NAME=VALUE", VALUE read as a YAML scalar, into `inputs`. Errors: invalid_argument; also for a name that is not among `declared`, where
/// that is given.
Result<void> set_input(Object& inputs, const std::string& given, const Object* declared);

/// The seven tasks of a workflow that names none.
std::vector<TaskDefinition> standard_tasks();

/// JSON Schema, draft 7, of workflow files: accepts what `load_workflow` accepts, as far as a schema can tell.
std::string workflow_schema(const std::vector<AgentDescription>& agents);

}  // namespace conductorai::definition
