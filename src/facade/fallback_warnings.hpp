#pragma once
// What a workflow's ledger says of models that answered in another's place.

#include <string>
#include <vector>

#include "conductorai/state_manager.hpp"

namespace conductorai::facade {

/// One sentence for each task in which a model was passed over, in the order of the first such call.
std::vector<std::string> fallback_warnings(const std::vector<StepRecord>& steps);

}  // namespace conductorai::facade
