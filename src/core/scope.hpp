#pragma once
// What the expressions of a task can read. Private to core.

#include "core/expression.hpp"
#include "core/state.hpp"

namespace conductorai::core {

/// Borrows from its arguments.
[[nodiscard]] Scope scope_of(const WorkflowState& state, const TaskRecord& task, const std::map<std::string, std::string>& env);

/// success(): all needs met. failure(): a need, or one of its own needs, failed, as far back as its phase goes: what lies before a
/// passed gate is no failure. cancelled(): in the clean-up of a workflow that is being cancelled, and there alone; the others are false
/// then.
[[nodiscard]] NeedsOutcome needs_of(const WorkflowState& state, const TaskRecord& task);

}  // namespace conductorai::core
