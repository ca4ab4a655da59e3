#pragma once
// The sandbox attacked for real: each probe is code that runs inside and tries to get out.

#include <functional>
#include <string>
#include <vector>

#include "conductorai/sandbox.hpp"
#include "infrastructure/sandbox/sandboxes.hpp"

namespace conductorai::infrastructure {

struct ProbeResult {
  std::string probe;  // "read-secret"
  bool denied = false;
  std::string detail;  // what was tried and what came of it
};

/// Names of all probes, in the order they run.
std::vector<std::string> probe_names();

/// Runs the probes named in `only` (all when empty). Needs `options.helper` and `options.state_dir` as the sandbox has them. A probe that
/// could not be tried counts as not denied: silence is no evidence. `on_result` may be empty.
/// Errors: as Sandbox (nothing could be run at all); cancelled.
task<Result<std::vector<ProbeResult>>> selftest(Sandbox& sandbox, SandboxOptions options, std::vector<std::string> only = {},
                                                std::function<void(const ProbeResult&)> on_result = {});

}  // namespace conductorai::infrastructure
