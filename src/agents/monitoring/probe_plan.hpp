#pragma once
// One entry of `with.probes`.

#include "agents/monitoring/monitor_plan.hpp"

namespace conductorai::agents {

/// Errors: invalid_argument, its path led by `path` ("with.probes[0]").
Result<PlannedProbe> read_probe(const Value& entry, const std::string& path, Milliseconds default_timeout);

}  // namespace conductorai::agents
