#pragma once
// The Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats), OpenMetrics as far as they agree.

#include <map>
#include <string>
#include <string_view>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

/// Value by `name` or `name{a="x",b="y"}`, labels sorted by name and written without spaces; time stamps are dropped. At most 50,000.
/// Errors: invalid_answer naming the line.
Result<std::map<std::string, double>> parse_prometheus(std::string_view text);

}  // namespace conductorai::infrastructure
