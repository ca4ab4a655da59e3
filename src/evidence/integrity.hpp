#pragma once
// The test-integrity guard: what a change does to the tests that were there. Token-level heuristics for Python, JavaScript/TypeScript,
// C and C++, Go and Rust; a change it can't read as tests gives no finding.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/models.hpp"
#include "evidence/toolchain.hpp"

namespace conductorai::evidence {

struct FileChange {
  std::string path;
  std::optional<std::string> before;  // nullopt: the file is new
  std::optional<std::string> after;   // nullopt: it was deleted
};

/// Findings of source "integrity": deleted test files and tests (moved ones are not deleted), fewer assertions, assertions that can't fail,
/// new skips, expected failures and ways to leave tests out, another command of a CTest test (all error), changes of protected paths
/// (critical; Workspace::protected_changes tells them). What a new test lacks is a warning.
std::vector<Finding> check_test_integrity(const std::vector<FileChange>& changes, const std::vector<std::string>& protected_changes);

/// Findings (error) where a change altered what says how the tests are run, or which: "scripts.test" of package.json, the rules "test" and
/// "check" of a Makefile, the options of pytest and cargo that choose tests; each where this toolchain goes by it.
std::vector<Finding> check_test_command(const std::vector<FileChange>& changes, const Toolchain& toolchain);

/// Whether the file is one whose content check_test_command understands.
bool chooses_tests(std::string_view path);

/// Whether the path names test code by the customs of its language ("tests/x.py", "a_test.go", "x.spec.ts").
bool is_test_path(std::string_view path);

}  // namespace conductorai::evidence
