#pragma once
// The schemas of delivery files, compiled in (schemas/README.md).

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/document/node.hpp"

namespace conductorai::agents {

/// Texts by name: "github-workflow", "compose", "kubernetes".
const std::map<std::string_view, std::string_view>& delivery_schemas();

struct Violation {
  core::document::Position at;
  std::string path;  // "jobs.build.steps[0]"; empty for the whole document
  std::string message;
};

/// Where the document does not follow; the innermost places only, at most 20. Long texts are judged by their ends.
std::vector<Violation> workflow_violations(const core::document::Node& document);
std::vector<Violation> compose_violations(const core::document::Node& document);
/// Nothing when there is no schema for `kind` ("apps/v1 Deployment") here. Members that are null count as absent.
std::optional<std::vector<Violation>> manifest_violations(const std::string& kind, const core::document::Node& document);

}  // namespace conductorai::agents
