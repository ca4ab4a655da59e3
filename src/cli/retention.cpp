#include "cli/retention.hpp"

#include <iostream>

#include "cli/report_file.hpp"

namespace conductorai::cli {

Result<PruneReport> prune(Session& session, bool dry_run) {
  return session.ai().prune({.rule = session.config().retention,
                             .dry_run = dry_run,
                             .on_removed = [state_dir = session.project().state_dir](const WorkflowId& id) {
                               std::error_code ignored;  // there need not be one
                               std::filesystem::remove(report_path(state_dir, id), ignored);
                             }});
}

void apply_retention(Session& session) {
  if (session.config().retention == RetentionRule{}) return;
  auto pruned = prune(session, false);
  if (!pruned) return warn(session.config(), "ended workflows could not be removed: " + to_string(pruned.error()));
  const std::size_t count = pruned->removed.size();
  if (count > 0) std::cerr << "removed " << count << (count == 1 ? " ended workflow" : " ended workflows") << " (retention)" << std::endl;
}

}  // namespace conductorai::cli
