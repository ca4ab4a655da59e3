#pragma once
// All delivery files of a workspace, checked: what was found, as evidence and as a report.

#include <string>
#include <string_view>
#include <vector>

#include "agents/devops/checks.hpp"
#include "conductorai/workspace.hpp"

namespace conductorai::agents {

inline constexpr std::string_view kValidationReport = "validation.json";

struct Validation {
  std::vector<FileCheck> checks;
  std::vector<Finding> findings;  // of severity error; empty: all is well
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::string report() const;
  [[nodiscard]] Evidence evidence(Digest artifact) const;
};

/// Checks what is there, whoever wrote it; each of `demanded` (names of `target_of`) without a file is a finding.
/// Errors: as Workspace::list_files.
task<Result<Validation>> validate(Workspace& workspace, std::vector<std::string> demanded);

}  // namespace conductorai::agents
