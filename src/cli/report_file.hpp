#pragma once
// Reports as files: what `conductorai report` and the end of a run write.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/session.hpp"

namespace conductorai::cli {

/// Where a workflow's report stands unless the user says otherwise.
std::filesystem::path report_path(const std::filesystem::path& state_dir, const WorkflowId& id);

struct MadeReport {
  std::string page;
  std::optional<std::int64_t> repair_ms;  // none: nothing was repaired
};
/// The page of a workflow in any state. Errors: not_found, of the stores.
Result<MadeReport> make_report(ConductorAI& ai, const WorkflowId& id);

/// Whole or not at all. A file that is there is replaced only if it is a report. Errors: already_exists, unavailable.
Result<void> write_report(const std::filesystem::path& file, const std::string& page);

}  // namespace conductorai::cli
