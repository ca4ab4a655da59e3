#pragma once
// Test reports: what a runner wrote down about single tests, in one form. Parsers trust nothing: sizes and depths are bounded, a report
// that stops early is kept as far as it goes and marked incomplete, and counts are made from the cases, never read from a summary.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/models.hpp"
#include "conductorai/result.hpp"

namespace conductorai::evidence {

enum class CaseStatus { passed, failed, error, skipped };
std::string_view to_string(CaseStatus status);

struct TestCase {
  std::string name;  // unique in its suite: "pkg.test_x.TestX.test_y", "Suite.Test", "file.js > outer > inner"
  CaseStatus status = CaseStatus::passed;
  std::string message;  // of a failure, error or skip; at most kMessageMax bytes
  std::string file;     // as the runner wrote it; empty when unknown
  int line = 0;
  friend bool operator==(const TestCase&, const TestCase&) = default;
};

struct TestReport {
  std::string format;     // shim, junit, tap, go, gtest
  bool complete = false;  // the runner reached its end and every announced case is there
  std::string incomplete_because;
  std::vector<TestCase> cases;
  std::vector<std::string> tampered;  // parts of the runner that the code under test replaced
  std::vector<std::string> missing;   // what the runner needs and did not find ("pytest")

  [[nodiscard]] std::size_t count(CaseStatus status) const;
  [[nodiscard]] std::size_t passed() const { return count(CaseStatus::passed); }
  [[nodiscard]] std::size_t failed() const { return count(CaseStatus::failed) + count(CaseStatus::error); }
  [[nodiscard]] std::size_t skipped() const { return count(CaseStatus::skipped); }
};

inline constexpr std::size_t kReportBytesMax = std::size_t{16} << 20;
inline constexpr std::size_t kCasesMax = 100'000;
inline constexpr std::size_t kMessageMax = 4'000;

/// Errors of all: invalid_argument (not this format, too large, too deep); `where` is a line where one is known.
/// JUnit XML of any writer, CTest's and GoogleTest's included. Entities other than the five of XML and document types are refused.
Result<TestReport> parse_junit(std::string_view text);
/// TAP 13 and 14; the points of the outermost level count, TODO points are skipped ones.
Result<TestReport> parse_tap(std::string_view text);
/// The JSON lines of our own runner shims.
Result<TestReport> parse_shim(std::string_view text);
/// `go test -json`.
Result<TestReport> parse_go(std::string_view text);
/// `--gtest_output=json:`.
Result<TestReport> parse_gtest_json(std::string_view text);
/// By name of format: junit, ctest, tap, shim, go, gtest.
Result<TestReport> parse_report(std::string_view format, std::string_view text);

/// Names of tests found before the run: the shims' JSON lines, `ctest --show-only=json-v1`, `--gtest_list_tests`.
struct Discovery {
  bool complete = false;
  std::vector<std::string> names;
  std::vector<std::string> missing;  // as TestReport::missing
};
Result<Discovery> parse_shim_discovery(std::string_view text);
Result<Discovery> parse_ctest_discovery(std::string_view text);
Result<Discovery> parse_gtest_discovery(std::string_view text);
/// By name of format: shim, ctest, gtest.
Result<Discovery> parse_discovery(std::string_view format, std::string_view text);

}  // namespace conductorai::evidence
