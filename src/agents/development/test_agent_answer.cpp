#include "agents/development/test_agent_answer.hpp"

#include <algorithm>
#include <array>

#include "evidence/integrity.hpp"

namespace conductorai::agents {
namespace {

/// Files where new tests must be entered for a runner to find them.
bool is_build_description(std::string_view path) {
  static constexpr std::array kNames{"CMakeLists.txt", "Makefile",   "package.json", "pyproject.toml", "pytest.ini",
                                     "setup.cfg",      "Cargo.toml", "go.mod",       "tox.ini",        "meson.build"};
  return std::ranges::find(kNames, path.substr(path.rfind('/') + 1)) != kNames.end();
}

}  // namespace

std::vector<Finding> refusals_of_tests(const AnswerFiles& files, const std::map<std::string, std::string>& before) {
  std::vector<Finding> refused;
  std::vector<evidence::FileChange> changes;
  for (const auto& [path, content] : files) {
    const auto present = before.find(path);
    const bool exists = present != before.end();
    if (exists && !evidence::is_test_path(path) && !is_build_description(path))
      refused.push_back({.severity = Severity::error,
                         .file = path,
                         .message = "the answer changes a file that is no test: here tests are written, code is not changed",
                         .source = "integrity"});
    changes.push_back({path, exists ? std::optional(present->second) : std::nullopt, content});
  }
  for (auto& finding : evidence::check_test_integrity(changes, {}))
    if (finding.severity >= Severity::error) refused.push_back(std::move(finding));
  return refused;
}

}  // namespace conductorai::agents
