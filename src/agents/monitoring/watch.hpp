#pragma once
// The window: probes by turns, the process beside them, the log at the end. Measures and judges nothing.

#include <functional>
#include <string>

#include "agents/monitoring/samples.hpp"
#include "conductorai/clock.hpp"
#include "conductorai/release_manager.hpp"

namespace conductorai::agents {

struct Watch {
  MonitorPlan plan;                                                        // with whole URLs
  ReleaseInfo release;                                                     // as it was when the window began
  bool whole_log = true;                                                   // false: only what it printed since the window began
  std::function<void(const std::string& probe, const Sample&)> on_sample;  // may be empty
};

/// A probe that hangs delays no other; what is in flight at the window's end is waited for, which its timeout bounds.
/// Errors: invalid_argument (a probe), not_found (the release), unavailable with Retry::backoff (too few samples), cancelled.
task<Result<WindowRecord>> watch_window(Clock& clock, Prober& prober, ReleaseManager& releases, Watch watch);

}  // namespace conductorai::agents
