#include "agents/devops/validation.hpp"

#include <algorithm>

#include "core/json.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kFindingsMax = 100;

bool looks_like_yaml(std::string_view path) {
  return path.ends_with(".yml") || path.ends_with(".yaml");
}

FileCheck unreadable(std::string path, DeliveryKind kind, const Error& error) {
  Finding finding{.severity = Severity::error, .file = path, .line = 0, .message = error.message, .source = "validation"};
  return {.file = std::move(path), .kind = kind, .depth = "not read", .findings = {std::move(finding)}};
}

Array findings_array(const std::vector<Finding>& findings) {
  Array out;
  for (const Finding& finding : findings)
    out.emplace_back(Object{{"severity", to_string(finding.severity)}, {"line", std::int64_t{finding.line}}, {"message", finding.message}});
  return out;
}

}  // namespace

bool FileCheck::passed() const {
  return std::ranges::none_of(findings, [](const Finding& finding) { return finding.severity >= Severity::error; });
}

std::string Validation::summary() const {
  const auto wrong = std::ranges::count_if(checks, [](const FileCheck& check) { return !check.passed(); });
  std::string text =
      std::to_string(static_cast<std::ptrdiff_t>(checks.size()) - wrong) + " delivery files sound, " + std::to_string(wrong) + " not";
  for (const FileCheck& check : checks)
    if (check.depth != "schema") text += "; " + check.file + ": " + check.depth;
  if (!findings.empty())
    text += "; " + (findings.front().file.empty() ? "" : findings.front().file + ":" + std::to_string(findings.front().line) + ": ") +
            findings.front().message;
  return text;
}

std::string Validation::report() const {
  Array files;
  for (const FileCheck& check : checks)
    files.emplace_back(Object{{"file", check.file},
                              {"kind", to_string(check.kind)},
                              {"checked", check.depth},
                              {"passed", check.passed()},
                              {"findings", findings_array(check.findings)}});
  return core::to_json(Object{{"files", std::move(files)}, {"findings", static_cast<std::int64_t>(findings.size())}});
}

Evidence Validation::evidence(Digest artifact) const {
  const auto passed = std::ranges::count_if(checks, [](const FileCheck& check) { return check.passed(); });
  return {.kind = "validation",
          .summary = summary(),
          .value = {},
          .passed = passed,
          .failed = static_cast<std::int64_t>(checks.size()) - passed,
          .skipped = {},
          .artifact = std::move(artifact)};
}

task<Result<Validation>> validate(Workspace& workspace, std::vector<std::string> demanded) {
  auto files = co_await workspace.list_files();
  if (!files) co_return fail(files.error());
  Validation validation;
  for (const std::string& path : *files) {
    auto kind = kind_of(path);
    if (!kind && !looks_like_yaml(path)) continue;
    auto content = co_await workspace.read(path);
    if (content && !kind) kind = kind_of(path, *content);
    if (kind) validation.checks.push_back(content ? check_delivery_file(path, *kind, *content) : unreadable(path, *kind, content.error()));
  }
  for (const FileCheck& check : validation.checks) {
    std::erase(demanded, target_of(check.kind));
    for (const Finding& finding : check.findings)
      if (finding.severity >= Severity::error && validation.findings.size() < kFindingsMax) validation.findings.push_back(finding);
  }
  for (const std::string& target : demanded)
    validation.findings.push_back({.severity = Severity::error,
                                   .file = {},
                                   .line = 0,
                                   .message = "the target '" + target + "' was named and there is no such file",
                                   .source = "validation"});
  co_return validation;
}

}  // namespace conductorai::agents
