#include "agents/development/linters.hpp"

#include <algorithm>
#include <span>

#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kFindingsMax = 100;
constexpr std::size_t kFilesMax = 200;

// One language: the first linter found is run; it prints "path:line:column: message". The first line names the linter.
struct Language {
  std::string_view name;
  std::span<const std::string_view> endings;
  std::string_view script;
};

constexpr std::string_view kPython[] = {".py"};
constexpr std::string_view kJavaScript[] = {".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx"};
constexpr std::string_view kCpp[] = {".c", ".cc", ".cpp", ".cxx"};
constexpr std::string_view kShell[] = {".sh", ".bash"};

constexpr Language kLanguages[] = {
    {"python", kPython,
     "if command -v ruff >/dev/null; then echo ruff; exec ruff check --no-cache --output-format=concise -- \"$@\"; fi\n"
     "if command -v flake8 >/dev/null; then echo flake8; exec flake8 -- \"$@\"; fi\n"
     "if command -v pyflakes3 >/dev/null; then echo pyflakes; exec pyflakes3 \"$@\"; fi\n"},
    {"javascript", kJavaScript, "if command -v eslint >/dev/null; then echo eslint; exec eslint --format unix -- \"$@\"; fi\n"},
    {"c++", kCpp,
     "if command -v cppcheck >/dev/null; then echo cppcheck; exec cppcheck --quiet --enable=warning "
     "--suppress=missingInclude --suppress=syntaxError --suppress=unknownMacro --suppress=internalAstError "
     "--template='{file}:{line}:{column}: {severity}: {message} [{id}]' -- \"$@\" 2>&1; fi\n"},
    {"shell", kShell, "if command -v shellcheck >/dev/null; then echo shellcheck; exec shellcheck -f gcc -- \"$@\"; fi\n"},
};

bool grave(std::string_view linter, std::string_view message) {
  const auto has = [&](std::string_view word) { return message.find(word) != std::string_view::npos; };
  if (linter == "cppcheck" || linter == "shellcheck") return message.starts_with("error:");
  if (linter == "eslint") return has("[Error");
  return has("F821 ") || has("undefined name") || has("E999 ") || has("SyntaxError") || has("invalid-syntax") || has("syntax error");
}

// "a.py:3:7: message"; a leading "./" is dropped.
std::optional<Finding> finding_in(std::string_view line, std::string_view linter) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  Finding finding{.severity = Severity::warning,
                  .file = std::string(line.substr(0, colon)),
                  .line = 0,
                  .message = {},
                  .source = "linter:" + std::string(linter)};
  if (finding.file.starts_with("./")) finding.file.erase(0, 2);
  line.remove_prefix(colon + 1);
  const auto number = evidence::take_number(line);
  if (!number || !line.starts_with(':')) return std::nullopt;
  finding.line = *number;
  line.remove_prefix(1);
  std::string_view after_column = line;
  if (evidence::take_number(after_column) && after_column.starts_with(':')) line = after_column.substr(1);
  finding.message = evidence::shortened(evidence::trimmed(line), 500);
  if (grave(linter, finding.message)) finding.severity = Severity::error;
  return finding;
}

void read_report(std::string_view printed, const std::map<std::string, std::set<int>>& changed, std::vector<Finding>& findings) {
  const auto lines = evidence::lines_of(printed);
  if (lines.empty()) return;
  const std::string_view linter = evidence::trimmed(lines.front());
  for (std::size_t i = 1; i < lines.size() && findings.size() < kFindingsMax; ++i) {
    auto finding = finding_in(lines[i], linter);
    if (!finding) continue;
    const auto file = changed.find(finding->file);
    if (file != changed.end() && file->second.contains(finding->line)) findings.push_back(std::move(*finding));
  }
}

std::vector<std::string> files_of_language(const Language& language, const std::map<std::string, std::set<int>>& changed) {
  std::vector<std::string> files;
  for (const auto& [path, lines] : changed) {
    const bool ours = std::ranges::any_of(language.endings, [&file = path](std::string_view ending) { return file.ends_with(ending); });
    // "./": a name that begins with "-" is no option.
    if (ours && !lines.empty() && files.size() < kFilesMax) files.push_back("./" + path);
  }
  return files;
}

}  // namespace

task<Result<std::vector<Finding>>> run_linters(TaskContext& context, std::map<std::string, std::set<int>> changed) {
  std::vector<Finding> findings;
  for (const Language& language : kLanguages) {
    auto files = files_of_language(language, changed);
    if (files.empty()) continue;
    CommandRequest request;
    request.argv = {"/bin/sh", "-c", std::string(language.script), "sh"};
    request.argv.insert(request.argv.end(), files.begin(), files.end());
    request.timeout = std::chrono::minutes(2);
    request.artifact_name = "lint-" + std::string(language.name);
    request.label = "linting " + std::string(language.name);
    auto ran = co_await context.run(std::move(request));
    if (!ran) co_return fail(ran.error());
    const std::string printed = ran->result.out.text();
    read_report(printed, changed, findings);
  }
  co_return findings;
}

}  // namespace conductorai::agents
