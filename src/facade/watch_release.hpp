#pragma once
// A running release watched again, with the probes of the workflow that made it.

#include "facade/house.hpp"

namespace conductorai::facade {

/// Errors: not_found (no such release), invalid_argument (probes), as watch_window.
task<Result<MonitorReport>> watch_release(House& house, Clock& clock, MonitorRequest request);

}  // namespace conductorai::facade
