#pragma once
// When a candidate counts as healthy.

#include "infrastructure/releases/driver.hpp"
#include "runtime/loop.hpp"

namespace conductorai::infrastructure::releases {

/// One try: an HTTP GET whose answer has the wanted status, or a connection. Errors: unavailable (refused, wrong status, no HTTP), timeout.
task<Result<void>> probe_once(runtime::Loop& loop, Clock& clock, std::shared_ptr<Instance> instance, HealthCheck check);

/// Tries until `successes` in a row were good. Errors: unavailable (it ended), timeout (never good in time; the last try's word is the
/// cause), cancelled.
task<Result<void>> until_healthy(runtime::Loop& loop, Clock& clock, std::shared_ptr<Instance> instance, HealthCheck check);

}  // namespace conductorai::infrastructure::releases
