#pragma once
// What the prompts of the built-in agents have in common.

#include <string>

#include "agents/base/prompt_parts.hpp"
#include "core/json.hpp"

namespace conductorai::agents {

inline std::string requirement_block(const TaskAssignment& assignment) {
  return data_block("requirement", "", assignment.workflow->requirement.empty() ? "(none given)" : assignment.workflow->requirement);
}

/// What the task was told of its own: the foreach item and `with.instructions`.
inline std::string item_block(const TaskAssignment& assignment) {
  std::string text;
  if (assignment.foreach_item) text += data_block("item", "", core::to_json(*assignment.foreach_item));
  if (const auto told = assignment.task->with.find("instructions");
      told != assignment.task->with.end() && told->second.as_string() != nullptr)
    text += data_block("instructions", "", *told->second.as_string());
  return text;
}

inline WithKey instructions_key() {
  return {.name = "instructions",
          .type = WithKey::Type::text,
          .required = false,
          .description = "what this task is to see to, besides the requirement",
          .allowed = {}};
}

}  // namespace conductorai::agents
