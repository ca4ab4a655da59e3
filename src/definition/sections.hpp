#pragma once
// The shape of a workflow file: each section described once, for reading, errors and schema. Private to definition.

#include <optional>
#include <string>
#include <vector>

#include "conductorai/definition.hpp"
#include "core/document/reader.hpp"
#include "definition/config.hpp"

namespace conductorai::definition {

/// A definition while it is read: what a file says that the definition no longer shows.
struct Draft : WorkflowDefinition {
  std::optional<std::string> requirement_file;
  bool has_requirement = false;
  bool has_tasks = false;
};

const core::document::Section<Draft>& workflow_section();
const core::document::Section<BudgetDefinition>& budget_section();
const core::document::Section<BudgetConfig>& budget_config_section();
/// "mock", "mock:FILE", "record:FILE", "replay:FILE", "openai", "anthropic"
core::document::Type<std::string> provider_name();

/// auto, off, on
core::document::Type<std::optional<ToolUse>> tool_use();
std::string_view tool_use_name(std::optional<ToolUse> use);

/// What is wrong with a task's id; empty when nothing is.
std::string task_id_problem(const std::string& id);

inline constexpr int kTaskIdBytesMax = 100;

}  // namespace conductorai::definition
