#pragma once
// The commented workflow file that `conductorai init` writes.

#include <filesystem>
#include <string>
#include <vector>

namespace conductorai::definition {

struct TemplateRequest {
  std::string name = "my-workflow";
  std::string requirement;  // text; empty: a place to write it
  std::string language;     // python, node, cpp, go, rust; empty or unknown: none said
  bool has_repository = false;
};

/// By the files in `folder`: "python", "node", "cpp", "go", "rust"; empty when none is recognised.
std::string detect_language(const std::filesystem::path& folder);
/// Loads without a problem as it stands.
std::string write_template(const TemplateRequest& request);

}  // namespace conductorai::definition
