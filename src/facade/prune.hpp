#pragma once
// Removing ended workflows from every store.

#include "facade/house.hpp"

namespace conductorai::facade {

/// As ConductorAI::prune. A workflow goes from the state first, in one transaction; what is left of it elsewhere is cleared afterwards, and
/// remembered until then.
task<Result<PruneReport>> prune(House& house, Timestamp now, PruneRequest request);

}  // namespace conductorai::facade
