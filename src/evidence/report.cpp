#include "evidence/report.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "evidence/text.hpp"

namespace conductorai::evidence {

std::string_view to_string(CaseStatus status) {
  switch (status) {
    case CaseStatus::passed: return "passed";
    case CaseStatus::failed: return "failed";
    case CaseStatus::error: return "error";
    case CaseStatus::skipped: return "skipped";
  }
  return "unknown";
}

std::size_t TestReport::count(CaseStatus status) const {
  return static_cast<std::size_t>(std::ranges::count(cases, status, &TestCase::status));
}

Result<TestReport> parse_report(std::string_view format, std::string_view text) {
  if (format == "junit" || format == "ctest") return parse_junit(text);
  if (format == "tap") return parse_tap(text);
  if (format == "shim") return parse_shim(text);
  if (format == "go") return parse_go(text);
  if (format == "gtest") return parse_gtest_json(text);
  return fail(ErrorCode::invalid_argument, "unknown report format '" + std::string(format) + "'", {}, "known: junit, tap, gtest, go");
}

Result<Discovery> parse_discovery(std::string_view format, std::string_view text) {
  if (format == "shim") return parse_shim_discovery(text);
  if (format == "ctest") return parse_ctest_discovery(text);
  if (format == "gtest") return parse_gtest_discovery(text);
  return fail(ErrorCode::invalid_argument, "unknown discovery format '" + std::string(format) + "'");
}

Result<Discovery> parse_ctest_discovery(std::string_view text) {
  if (text.size() > kReportBytesMax) return fail(ErrorCode::invalid_argument, "the list of tests is too large");
  auto json = core::parse_json(text);
  if (!json) return fail(json.error());
  const auto* tests = json->find("tests");
  if (tests == nullptr || tests->as_array() == nullptr) return fail(ErrorCode::invalid_argument, "no list of tests in CTest's answer");
  Discovery discovery;
  for (const auto& test : *tests->as_array()) {
    const auto* name = test.find("name");
    if (name != nullptr && name->as_string() != nullptr) discovery.names.push_back(*name->as_string());
    if (discovery.names.size() > kCasesMax) return fail(ErrorCode::invalid_argument, "too many tests");
  }
  discovery.complete = true;
  return discovery;
}

Result<Discovery> parse_gtest_discovery(std::string_view text) {
  if (text.size() > kReportBytesMax) return fail(ErrorCode::invalid_argument, "the list of tests is too large");
  Discovery discovery;
  std::string suite;
  for (std::string_view line : lines_of(text)) {
    const auto comment = line.find("  # ");  // value and type parameters
    if (comment != std::string_view::npos) line = line.substr(0, comment);
    const bool indented = line.starts_with("  ");
    line = trimmed(line);
    if (line.empty()) continue;
    if (!indented && line.ends_with('.'))
      suite = std::string(line);
    else if (indented && !suite.empty())
      discovery.names.push_back(suite + std::string(line));
    if (discovery.names.size() > kCasesMax) return fail(ErrorCode::invalid_argument, "too many tests");
  }
  discovery.complete = true;
  return discovery;
}

}  // namespace conductorai::evidence
