#pragma once
// Test support: what the indexes and effects of a state have to be, found by scanning everything.

#include <string>
#include <vector>

#include "core/decide.hpp"
#include "core/state.hpp"

namespace conductorai::core {

/// What is wrong with the indexes; empty: they are what a scan finds.
std::string find_index_error(const WorkflowState& state);
/// What is wrong with `newly`, the effects a row added: it must hold all that became owed, and only what is owed.
std::string find_effect_error(const std::vector<Effect>& before, const std::vector<Effect>& newly, const std::vector<Effect>& after);
/// "task.completed gate.decided"
std::string tags(const std::vector<Event>& events);
/// The state after these rows.
WorkflowState fold(const WorkflowState& initial, const std::vector<std::string>& rows);

}  // namespace conductorai::core
