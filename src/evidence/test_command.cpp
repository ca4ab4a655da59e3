// The command that runs the tests, as a project's files define it.

#include "core/json.hpp"
#include "evidence/integrity.hpp"

namespace conductorai::evidence {

namespace {

std::string npm_test(std::string_view content) {
  auto parsed = core::parse_json(content);
  if (!parsed) return {};
  const Value* scripts = parsed->find("scripts");
  const Value* test = scripts == nullptr ? nullptr : scripts->find("test");
  return test == nullptr || test->as_string() == nullptr ? "" : *test->as_string();
}

/// The lines of the rules "test" and "check", with their recipes.
std::string make_test(std::string_view content) {
  std::string rules;
  bool inside = false;
  while (!content.empty()) {
    const auto end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (!line.starts_with('\t')) inside = line.starts_with("test:") || line.starts_with("check:");
    if (inside && !line.empty()) rules.append(line).append("\n");
  }
  return rules;
}

std::string test_command(const std::string& path, const std::optional<std::string>& content) {
  if (!content) return {};
  return path == "package.json" ? npm_test(*content) : make_test(*content);
}

}  // namespace

const std::vector<std::string>& test_command_files() {
  static const std::vector<std::string> files{"package.json", "Makefile", "makefile", "GNUmakefile"};
  return files;
}

std::vector<Finding> check_test_command(const std::vector<FileChange>& changes) {
  std::vector<Finding> findings;
  for (const FileChange& change : changes) {
    const std::string before = test_command(change.path, change.before);
    if (before.empty() || before == test_command(change.path, change.after)) continue;
    findings.push_back({.severity = Severity::critical,
                        .file = change.path,
                        .message = "the command that runs the tests was changed; it was: " + before,
                        .source = "integrity"});
  }
  return findings;
}

}  // namespace conductorai::evidence
