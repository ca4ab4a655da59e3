#pragma once
// How the configuration says providers are reached.

#include <functional>
#include <memory>

#include "cli/project.hpp"
#include "conductorai/conductorai.hpp"
#include "definition/config.hpp"

namespace conductorai::cli {

LlmOptions llm_options(const definition::Config& config, const Project& project);

/// A facade without state of its own, for what concerns models alone; `use` gets it initialised. Errors: of initialising.
Result<void> with_models(const definition::Config& config, const Project& project, const std::function<Result<void>(ConductorAI&)>& use);

/// Whether the workflow's model and budget fit, before anything of the state is touched.
Result<void> check_model_use(const WorkflowDefinition& definition, const definition::Config& config, const Project& project);

}  // namespace conductorai::cli
