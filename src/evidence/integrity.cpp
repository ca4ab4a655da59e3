#include "evidence/integrity.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "evidence/source_scan.hpp"

namespace conductorai::evidence {
namespace {

Finding finding(Severity severity, const std::string& file, int line, std::string message) {
  return {.severity = severity, .file = file, .line = line, .message = std::move(message), .source = "integrity"};
}

std::string times(int count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string_view path_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// One changed file, before and after.
struct Compared {
  const FileChange& change;
  Language language;
  TestSource before, after;
};

std::optional<Compared> compare(const FileChange& change) {
  const auto language = language_of(change.path);
  if (!language) return std::nullopt;
  Compared compared{change, *language, {}, {}};
  if (change.before) compared.before = scan_tests(*change.before, *language);
  if (change.after) compared.after = scan_tests(*change.after, *language);
  return compared;
}

class Guard {
 public:
  explicit Guard(const std::vector<FileChange>& changes) {
    for (const auto& change : changes)
      if (auto compared = compare(change)) files_.push_back(std::move(*compared));
    for (const auto& file : files_) note_arrivals(file);
  }

  std::vector<Finding> run() {
    for (const auto& file : files_) check(file);
    return std::move(found_);
  }

 private:
  /// Tests that are in a file now and were not before: a test of that name deleted elsewhere was moved.
  void note_arrivals(const Compared& file) {
    std::set<std::string_view> known;
    for (const auto& test : file.before.tests) known.insert(test.name);
    for (const auto& test : file.after.tests)
      if (!known.contains(test.name)) arrived_.insert_or_assign(test.name, &test);
  }

  void check(const Compared& file) {
    const auto& path = file.change.path;
    const bool test_file = is_test_path(path);
    std::map<std::string_view, const TestUnit*> now;
    for (const auto& test : file.after.tests) now.insert_or_assign(test.name, &test);
    std::vector<std::string> gone;
    std::set<std::string_view> seen;
    for (const auto& test : file.before.tests) {
      seen.insert(test.name);
      const auto here = now.find(test.name);
      if (here != now.end())
        check_unit(path, test, *here->second);
      else if (const auto moved = arrived_.find(test.name); moved != arrived_.end())
        check_unit(path, test, *moved->second);
      else
        gone.push_back(test.name);
    }
    report_gone(file, test_file, gone);
    for (const auto& test : file.after.tests)
      if (!seen.contains(test.name)) check_new(path, test);
    if (test_file && file.change.before && file.change.after) check_rest(file);
    if (file.language == Language::cmake && file.after.rest.skips > file.before.rest.skips)
      found_.push_back(finding(Severity::error, path, 0,
                               "a test is disabled, left out or expected to fail (DISABLED, WILL_FAIL, SKIP_…, CTEST_CUSTOM_…)"));
    if (!file.change.before && path_name(path) == "conftest.py" && file.after.rest.skips > 0)
      found_.push_back(finding(Severity::error, path, 0, "a new conftest.py chooses which tests are run"));
  }

  void report_gone(const Compared& file, bool test_file, const std::vector<std::string>& gone) {
    const auto& path = file.change.path;
    if (!file.change.after && test_file && (!gone.empty() || (file.before.tests.empty() && file.before.rest.assertions > 0))) {
      found_.push_back(finding(Severity::error, path, 0,
                               "a test file with " + times(static_cast<int>(file.before.tests.size()), "test") + " was deleted"));
      return;
    }
    for (const auto& name : gone) found_.push_back(finding(Severity::error, path, 0, "test " + name + " was deleted"));
  }

  void check_unit(const std::string& path, const TestUnit& before, const TestUnit& after) {
    if (after.assertions < before.assertions)
      found_.push_back(finding(Severity::error, path, after.line,
                               "test " + after.name + " was weakened: " + times(before.assertions, "assertion") + " became " +
                                   std::to_string(after.assertions)));
    if (after.trivial > before.trivial)
      found_.push_back(finding(Severity::error, path, after.line, "test " + after.name + " has a new assertion that can't fail"));
    if (after.skips > before.skips)
      found_.push_back(
          finding(Severity::error, path, after.line, "test " + after.name + " is newly skipped, run alone or expected to fail"));
    if (after.command != before.command)
      found_.push_back(
          finding(Severity::error, path, after.line, "the command of test " + after.name + " was changed; it was: " + before.command));
  }

  void check_new(const std::string& path, const TestUnit& test) {
    if (test.trivial > 0 && test.trivial == test.assertions)
      found_.push_back(finding(Severity::warning, path, test.line, "new test " + test.name + " can't fail"));
    if (test.skips > 0)
      found_.push_back(finding(Severity::warning, path, test.line, "new test " + test.name + " is skipped or expected to fail"));
  }

  /// Helpers hold assertions too, unless these moved into the tests of the file.
  void check_rest(const Compared& file) {
    const auto total = [](const TestSource& source) {
      int sum = source.rest.assertions;
      for (const auto& test : source.tests) sum += test.assertions;
      return sum;
    };
    const auto& before = file.before.rest;
    const auto& after = file.after.rest;
    if (after.assertions < before.assertions && total(file.after) < total(file.before))
      found_.push_back(finding(Severity::error, file.change.path, 0,
                               "assertions outside of named tests were dropped: " + std::to_string(before.assertions) + " became " +
                                   std::to_string(after.assertions)));
    if (after.trivial > before.trivial)
      found_.push_back(finding(Severity::error, file.change.path, 0, "a new assertion outside of named tests can't fail"));
    if (after.skips > before.skips)
      found_.push_back(finding(Severity::error, file.change.path, 0, "tests of this file are newly skipped or run alone"));
  }

  std::vector<Compared> files_;
  std::map<std::string_view, const TestUnit*> arrived_;
  std::vector<Finding> found_;
};

bool ends_in(std::string_view stem, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) { return stem.ends_with(ending); });
}

}  // namespace

bool is_test_path(std::string_view path) {
  for (const std::string_view folder : {"test/", "tests/", "__tests__/", "spec/", "testing/", "testdata/"})
    if (path.starts_with(folder) || path.find("/" + std::string(folder)) != std::string_view::npos) return true;
  const auto name = path.substr(path.rfind('/') + 1);
  const auto stem = name.substr(0, name.find_last_of('.'));
  if (name == "conftest.py" || name == "test.js" || name == "test.mjs") return true;
  if (!language_of(path) || language_of(path) == Language::cmake) return false;
  return stem == "test" || stem == "tests" || stem.starts_with("test_") || stem.starts_with("test-") ||
         ends_in(stem, {"_test", "-test", ".test", "_tests", "_spec", ".spec", "-spec", "Test", "Tests", "_unittest"});
}

std::vector<Finding> check_test_integrity(const std::vector<FileChange>& changes, const std::vector<std::string>& protected_changes) {
  std::vector<Finding> found;
  for (const auto& path : protected_changes) found.push_back(finding(Severity::critical, path, 0, "a protected path was changed"));
  auto guarded = Guard(changes).run();
  found.insert(found.end(), std::make_move_iterator(guarded.begin()), std::make_move_iterator(guarded.end()));
  return found;
}

}  // namespace conductorai::evidence
