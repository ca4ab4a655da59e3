#pragma once

namespace conductorai::infrastructure {

/// `argv`: STATUS_FD PROGRAM ARGS…. Runs PROGRAM as a child; orphans of it become ours (subreaper), and none outlives us: not when the
/// program ends, not when we are asked to end by SIGTERM (which the kernel sends when whoever started us dies). Writes "exit N", "signal N"
/// or "errno N".
int supervise(char** argv);

/// Kills and reaps until we have no descendant left. REQUIRES: we are a subreaper.
void end_descendants();

}  // namespace conductorai::infrastructure
