// What a project's files say of how its tests are run, and which.

#include <algorithm>

#include "core/json.hpp"
#include "evidence/integrity.hpp"
#include "evidence/text.hpp"

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

/// Lines that set one of these keys, in any INI or TOML section, with the lines that go on with them.
std::string settings(std::string_view content, std::initializer_list<std::string_view> keys) {
  std::string lines;
  bool inside = false;
  for (const std::string_view line : lines_of(content)) {
    const std::string_view text = trimmed(line);
    if (text.empty() || text.starts_with('#')) continue;
    const std::string_view key = trimmed(text.substr(0, text.find('=')));
    const bool goes_on = line.starts_with(' ') || line.starts_with('\t') || text.starts_with(']') || text.starts_with('"');
    inside = std::ranges::find(keys, key) != keys.end() || (inside && goes_on);
    if (inside) lines.append(text).append("\n");
  }
  return lines;
}

std::string chosen_tests(const std::string& path, const std::optional<std::string>& content) {
  if (!content) return {};
  if (path == "package.json") return npm_test(*content);
  if (path == "Cargo.toml") return settings(*content, {"autotests", "test", "harness", "required-features"});
  if (path.ends_with("akefile")) return make_test(*content);
  return settings(*content, {"addopts", "testpaths", "python_files", "python_classes", "python_functions", "norecursedirs"});
}

/// Whether this toolchain goes by what the file says.
bool goes_by(std::string_view path, const Toolchain& toolchain) {
  if (path == "Cargo.toml") return toolchain.language == "rust";
  if (path == "package.json") return toolchain.language == "javascript" || toolchain.report_format.empty();
  if (path.ends_with("akefile")) return toolchain.report_format.empty();
  return toolchain.name == "python-pytest" && chooses_tests(path);
}

}  // namespace

bool chooses_tests(std::string_view path) {
  for (const std::string_view name : {"package.json", "Makefile", "makefile", "GNUmakefile", "Cargo.toml", "pytest.ini", ".pytest.ini",
                                      "tox.ini", "setup.cfg", "pyproject.toml"})
    if (path == name) return true;
  return false;
}

std::vector<Finding> check_test_command(const std::vector<FileChange>& changes, const Toolchain& toolchain) {
  std::vector<Finding> findings;
  for (const FileChange& change : changes) {
    if (!goes_by(change.path, toolchain)) continue;
    const std::string before = chosen_tests(change.path, change.before);
    const bool command = change.path == "package.json" || change.path.ends_with("akefile");
    if ((command && before.empty()) || before == chosen_tests(change.path, change.after)) continue;
    const std::string was = before.empty() ? "there was none" : "it was: " + before;
    findings.push_back({.severity = Severity::error,
                        .file = change.path,
                        .message = (command ? "the command that runs the tests was changed; " : "the choice of tests was changed; ") + was,
                        .source = "integrity"});
  }
  return findings;
}

}  // namespace conductorai::evidence
