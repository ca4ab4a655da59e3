#include "agents/development/changed_tests.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "agents/base/toolchain_run.hpp"
#include "agents/base/with.hpp"
#include "agents/development/patch.hpp"
#include "evidence/integrity.hpp"
#include "evidence/source_scan.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr const char* kAllow = "allow-test-changes";
constexpr std::size_t kShownBytesMax = 6'000;  // of a file as it was
constexpr std::size_t kShownFilesMax = 5;
constexpr std::size_t kGuardedFilesMax = 500;  // of those that were there, and as many of the new ones

/// Tests and what chooses them.
bool is_about_tests(const std::string& path) {
  return evidence::is_test_path(path) || evidence::chooses_tests(path) || evidence::language_of(path) == evidence::Language::cmake;
}

/// Changed files that can say something of tests, those about tests first: many other changes must not hide them.
std::vector<std::string> guarded(const std::map<std::string, bool>& changed, bool was_there) {
  std::vector<std::string> paths;
  for (const bool about_tests : {true, false})
    for (const auto& [path, before] : changed)
      if (before == was_there && is_about_tests(path) == about_tests && (about_tests || evidence::language_of(path)) &&
          paths.size() < kGuardedFilesMax)
        paths.push_back(path);
  return paths;
}

task<Result<std::vector<evidence::FileChange>>> changes_of(TaskContext& context, Workspace& workspace,
                                                           std::map<std::string, bool> changed) {
  std::vector<evidence::FileChange> changes;
  for (const bool was_there : {true, false}) {
    for (const std::string& path : guarded(changed, was_there)) {
      evidence::FileChange change{.path = path, .before = {}, .after = {}};
      if (was_there) {
        auto before = co_await workspace.file_at(context.assignment().workflow_base, path);
        if (!before && before.error().code == ErrorCode::cancelled) co_return fail(before.error());
        if (before) change.before = std::move(*before);
      }
      auto after = co_await workspace.read(path);
      if (after) change.after = std::move(*after);
      changes.push_back(std::move(change));
    }
  }
  co_return changes;
}

/// Nobody can put back what nobody shows.
std::vector<Finding> as_they_were(const std::vector<evidence::FileChange>& changes, const std::vector<Finding>& findings) {
  std::vector<Finding> shown;
  for (const auto& change : changes) {
    if (!change.before || shown.size() == kShownFilesMax || std::ranges::find(findings, change.path, &Finding::file) == findings.end())
      continue;
    shown.push_back({.severity = Severity::info,
                     .file = change.path,
                     .message = "as it was when the workflow started:\n" + evidence::shortened(*change.before, kShownBytesMax),
                     .source = "integrity"});
  }
  return shown;
}

/// The files at the workflow's start: those of now, with the deleted and without the new ones.
std::vector<std::string> files_at_start(const std::vector<std::string>& now, const std::map<std::string, bool>& changed) {
  std::set<std::string> files(now.begin(), now.end());
  for (const auto& [path, was_there] : changed) {
    if (was_there)
      files.insert(path);
    else
      files.erase(path);
  }
  return {files.begin(), files.end()};
}

bool has_tests(const evidence::Toolchain& toolchain, const std::vector<std::string>& files) {
  if (toolchain.test.empty()) return false;
  if (toolchain.name == "cmake" || toolchain.report_format.empty()) return true;  // they stand in the build description
  return std::ranges::any_of(files, [](const std::string& path) { return evidence::is_test_path(path) && evidence::language_of(path); });
}

bool same_runner(const evidence::Toolchain& then, const evidence::Toolchain& now) {
  return then.name == now.name || (then.language == "python" && now.language == "python");  // pytest runs what unittest runs
}

/// A new build description can lead to another runner, which never sees the tests that were there.
task<Result<std::vector<Finding>>> changed_runner(TaskContext& context, Workspace& workspace, std::map<std::string, bool> changed,
                                                  FoundToolchain now) {
  const ToolchainDefinition given = context.assignment().workflow->toolchain;
  if (!given.test.empty() || given.report) co_return std::vector<Finding>{};  // the user's choice
  const auto files = files_at_start(now.files, changed);
  std::map<std::string, std::string> contents;
  for (const auto& path : evidence::files_to_read(files)) {
    if (changed.contains(path)) {
      auto before = co_await workspace.file_at(context.assignment().workflow_base, path);
      if (before && *before) contents.emplace(path, std::move(**before));
    } else {
      auto content = co_await workspace.read(path);
      if (content) contents.emplace(path, std::move(*content));
    }
  }
  const evidence::ReadFile read = [&](const std::string& path) -> std::optional<std::string> {
    auto it = contents.find(path);
    return it == contents.end() ? std::nullopt : std::optional(it->second);
  };
  auto then = evidence::detect_toolchain(files, read, given);
  if (!then) co_return fail(then.error());
  if (!has_tests(*then, files) || same_runner(*then, now.toolchain)) co_return std::vector<Finding>{};
  co_return std::vector<Finding>{{.severity = Severity::error,
                                  .message = "the tests were run by " + then->name + " when the workflow started, and " +
                                             now.toolchain.name + " would run instead; toolchain.test says which is wanted",
                                  .source = "integrity"}};
}

}  // namespace

WithKey allow_test_changes_key() {
  return {.name = kAllow,
          .type = WithKey::Type::boolean,
          .description = "Whether tests that were there when the workflow started may be deleted, weakened or skipped (default false).",
          .allowed = {}};
}

task<Result<std::vector<Finding>>> changed_tests(TaskContext& context, Workspace& workspace, std::string diff) {
  const auto changed = changed_files(diff);
  auto refused = co_await workspace.protected_changes();
  if (!refused) co_return fail(refused.error());
  if (changed.empty() && refused->empty()) co_return std::vector<Finding>{};
  auto changes = co_await changes_of(context, workspace, changed);
  if (!changes) co_return fail(changes.error());
  auto toolchain = co_await find_toolchain(context);
  if (!toolchain) co_return fail(toolchain.error());
  auto findings = evidence::check_test_integrity(*changes, *refused);
  auto commands = evidence::check_test_command(*changes, toolchain->toolchain);
  auto runner = co_await changed_runner(context, workspace, changed, std::move(*toolchain));
  if (!runner) co_return fail(runner.error());
  for (auto* more : {&commands, &*runner}) std::ranges::move(*more, std::back_inserter(findings));
  auto shown = as_they_were(*changes, findings);
  std::ranges::move(shown, std::back_inserter(findings));
  if (flag_of(context.assignment().task->with, kAllow, false))
    for (Finding& finding : findings)
      if (finding.severity == Severity::error) finding.severity = Severity::warning;
  co_return findings;
}

}  // namespace conductorai::agents
