#pragma once
// Lines of a service's log that patterns forbid.

#include "agents/monitoring/samples.hpp"

namespace conductorai::agents {

inline constexpr std::int64_t kLogBytes = 512 << 10;  // of the log, its newest

/// Fills in `log_matches` (the first few of each pattern), `log_lines_matched` and `log_tail`.
void search_log(std::string_view log, const std::vector<std::string>& patterns, WindowRecord& record);

}  // namespace conductorai::agents
