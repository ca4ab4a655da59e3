#pragma once
// What a watched service did besides answering: its process, its metrics, its log.

#include "report/html.hpp"
#include "report/samples.hpp"

namespace conductorai::report {

/// Memory and processor time, with restarts and deaths; empty where nobody looked.
Html process_charts(const Samples& samples);
/// The metrics a probe holds against limits.
Html metric_charts(const Probe& probe);
/// What forbidden patterns matched in the log.
Html log_lines(const Samples& samples);

}  // namespace conductorai::report
