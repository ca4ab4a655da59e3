// Reports that are JSON: our shims' lines, Go's event stream, GoogleTest's document.

#include <map>

#include "core/json.hpp"
#include "evidence/report.hpp"
#include "evidence/text.hpp"

namespace conductorai::evidence {
namespace {

std::string text_of(const Value& value, std::string_view key) {
  const auto* member = value.find(key);
  return member != nullptr && member->as_string() != nullptr ? *member->as_string() : std::string();
}

std::int64_t number_of(const Value& value, std::string_view key) {
  const auto* member = value.find(key);
  return member != nullptr && member->as_int() != nullptr ? *member->as_int() : 0;
}

std::vector<std::string> texts_of(const Value& value, std::string_view key) {
  std::vector<std::string> out;
  const auto* member = value.find(key);
  if (member == nullptr || member->as_array() == nullptr) return out;
  for (const auto& item : *member->as_array())
    if (item.as_string() != nullptr && out.size() < 100) out.push_back(shortened(*item.as_string(), 200));
  return out;
}

std::optional<CaseStatus> status_from(std::string_view name) {
  if (name == "passed") return CaseStatus::passed;
  if (name == "failed") return CaseStatus::failed;
  if (name == "error") return CaseStatus::error;
  if (name == "skipped") return CaseStatus::skipped;
  return std::nullopt;
}

Result<TestCase> shim_case(const Value& value) {
  const auto status = status_from(text_of(value, "status"));
  if (!status) return fail(ErrorCode::invalid_argument, "a test case without a known status");
  return TestCase{.name = shortened(text_of(value, "name"), 1'000),
                  .status = *status,
                  .message = shortened(text_of(value, "message"), kMessageMax),
                  .file = text_of(value, "file"),
                  .line = static_cast<int>(number_of(value, "line"))};
}

/// Lines of a shim's file: {"shim":…} first, {"end":…} last, both exactly once; what lies between goes to `take`.
template <class Take>
Result<std::optional<Value>> walk_shim_lines(std::string_view text, Take take) {
  if (text.size() > kReportBytesMax) return fail(ErrorCode::invalid_argument, "the report is too large");
  std::optional<Value> end;
  int number = 0;
  for (auto line : lines_of(text)) {
    ++number;
    const auto where = "line " + std::to_string(number);
    if (trimmed(line).empty()) continue;
    if (end) return fail(ErrorCode::invalid_argument, "something follows the end of the report", where);
    auto value = core::parse_json(line);
    if (!value) {
      if (number == 1) return fail(ErrorCode::invalid_argument, "not a report of our runner", where);
      return std::optional<Value>();  // cut off in mid-line
    }
    if ((number == 1) != (value->find("shim") != nullptr)) return fail(ErrorCode::invalid_argument, "not a report of our runner", where);
    if (number == 1) continue;
    if (const auto* last = value->find("end"))
      end = *last;
    else if (auto r = take(*value); !r)
      return fail(Error{.code = r.error().code, .message = r.error().message, .where = where});
  }
  if (number == 0) return fail(ErrorCode::invalid_argument, "the report is empty");
  return end;
}

}  // namespace

Result<TestReport> parse_shim(std::string_view text) {
  TestReport report{.format = "shim"};
  auto end = walk_shim_lines(text, [&](const Value& line) -> Result<void> {
    const auto* value = line.find("case");
    if (value == nullptr) return fail(ErrorCode::invalid_argument, "an unknown kind of line");
    auto read = shim_case(*value);
    if (!read) return fail(read.error());
    if (report.cases.size() >= kCasesMax) return fail(ErrorCode::invalid_argument, "too many test cases");
    report.cases.push_back(std::move(*read));
    return {};
  });
  if (!end) return fail(end.error());
  if (!*end) {
    report.incomplete_because = "the test process ended before the report did";
    return report;
  }
  report.tampered = texts_of(**end, "tampered");
  report.missing = texts_of(**end, "missing");
  const auto announced = number_of(**end, "cases");
  report.complete = announced == static_cast<std::int64_t>(report.cases.size());
  if (!report.complete)
    report.incomplete_because = "it counts " + std::to_string(announced) + " tests and holds " + std::to_string(report.cases.size());
  return report;
}

Result<Discovery> parse_shim_discovery(std::string_view text) {
  Discovery discovery;
  auto end = walk_shim_lines(text, [&](const Value& line) -> Result<void> {
    const auto name = text_of(line, "test");
    if (name.empty()) return fail(ErrorCode::invalid_argument, "a test without a name");
    if (discovery.names.size() >= kCasesMax) return fail(ErrorCode::invalid_argument, "too many tests");
    discovery.names.push_back(shortened(name, 1'000));
    return {};
  });
  if (!end) return fail(end.error());
  discovery.complete = end->has_value();
  if (*end) discovery.missing = texts_of(**end, "missing");
  return discovery;
}

namespace {

/// Go tells of each test by start, output and one of pass, fail, skip. A package that ends without a word of a started test means that
/// the test took the process down.
struct GoWalk {
  TestReport report{.format = "go"};
  std::map<std::string, std::string, std::less<>> outputs;  // of tests that have not ended
  std::map<std::string, bool, std::less<>> packages;        // name → ended

  Result<void> take(const Value& event) {
    const auto action = text_of(event, "Action");
    const auto package = text_of(event, "Package");
    const auto test = text_of(event, "Test");
    if (action.empty()) return fail(ErrorCode::invalid_argument, "an event without an action");
    if (package.empty()) return {};  // build-output of newer versions
    if (test.empty()) {
      if (action == "pass" || action == "fail" || action == "skip") return end_package(package, action);
      if (action == "output") note(package, text_of(event, "Output"));
      packages.try_emplace(package, false);
      return {};
    }
    const auto name = package + "." + test;
    if (action == "output")
      note(name, text_of(event, "Output"));
    else if (action == "run")
      outputs.try_emplace(name);
    else if (action == "pass" || action == "fail" || action == "skip")
      return end_test(name, action);
    return {};
  }

  void note(const std::string& name, const std::string& text) {
    auto& output = outputs[name];
    if (output.size() < kMessageMax) output += text;
  }

  Result<void> add(std::string name, CaseStatus status, std::string message) {
    if (report.cases.size() >= kCasesMax) return fail(ErrorCode::invalid_argument, "too many tests");
    report.cases.push_back({.name = std::move(name), .status = status, .message = shortened(trimmed(message), kMessageMax)});
    return {};
  }

  Result<void> end_test(const std::string& name, const std::string& action) {
    auto output = outputs.extract(name);
    const auto status = action == "pass" ? CaseStatus::passed : action == "skip" ? CaseStatus::skipped : CaseStatus::failed;
    return add(name, status, output.empty() || status == CaseStatus::passed ? "" : output.mapped());
  }

  Result<void> end_package(const std::string& package, const std::string& action) {
    packages[package] = true;
    auto own = outputs.extract(package);
    bool blamed = false;
    for (auto it = outputs.lower_bound(package + "."); it != outputs.end() && it->first.starts_with(package + ".");) {
      blamed = true;
      if (auto r = add(it->first, CaseStatus::error, it->second); !r) return r;
      it = outputs.erase(it);
    }
    // A package that does not build fails without any test of its own.
    if (action == "fail" && !blamed && !has_failure(package)) return add(package, CaseStatus::error, own.empty() ? "" : own.mapped());
    return {};
  }

  [[nodiscard]] bool has_failure(const std::string& package) const {
    for (const auto& test : report.cases)
      if (test.status != CaseStatus::passed && test.status != CaseStatus::skipped && test.name.starts_with(package + ".")) return true;
    return false;
  }
};

}  // namespace

Result<TestReport> parse_go(std::string_view text) {
  if (text.size() > kReportBytesMax) return fail(ErrorCode::invalid_argument, "the report is too large");
  GoWalk walk;
  bool cut = false;
  int number = 0;
  for (auto line : lines_of(text)) {
    ++number;
    if (!line.starts_with('{')) continue;  // compiler messages before Go 1.24
    auto event = core::parse_json(line);
    cut = !event.has_value();
    if (cut) continue;
    if (auto r = walk.take(*event); !r)
      return fail(Error{.code = r.error().code, .message = r.error().message, .where = "line " + std::to_string(number)});
  }
  if (walk.packages.empty() && walk.outputs.empty() && walk.report.cases.empty())
    return fail(ErrorCode::invalid_argument, "no event of `go test -json` in the report");
  if (walk.packages.empty()) walk.report.incomplete_because = "no package ended";
  for (const auto& [package, ended] : walk.packages)
    if (!ended) walk.report.incomplete_because = "package " + package + " did not end";
  if (cut) walk.report.incomplete_because = "it ends in mid-line";
  walk.report.complete = walk.report.incomplete_because.empty();
  return walk.report;
}

Result<TestReport> parse_gtest_json(std::string_view text) {
  if (text.size() > kReportBytesMax) return fail(ErrorCode::invalid_argument, "the report is too large");
  auto document = core::parse_json(text);
  if (!document) return fail(document.error());
  const auto* suites = document->find("testsuites");
  if (suites == nullptr || suites->as_array() == nullptr) return fail(ErrorCode::invalid_argument, "no list of test suites in the report");
  TestReport report{.format = "gtest"};
  for (const auto& suite : *suites->as_array()) {
    const auto* tests = suite.find("testsuite");
    if (tests == nullptr || tests->as_array() == nullptr) return fail(ErrorCode::invalid_argument, "a test suite without tests");
    for (const auto& test : *tests->as_array()) {
      TestCase read{.name = text_of(suite, "name") + "." + text_of(test, "name"),
                    .file = text_of(test, "file"),
                    .line = static_cast<int>(number_of(test, "line"))};
      if (const auto* failures = test.find("failures"); failures != nullptr && failures->as_array() != nullptr) {
        read.status = CaseStatus::failed;
        for (const auto& failure : *failures->as_array()) read.message += text_of(failure, "failure") + "\n";
        read.message = shortened(trimmed(read.message), kMessageMax);
      } else if (text_of(test, "result") != "COMPLETED") {
        read.status = CaseStatus::skipped;
      }
      if (report.cases.size() >= kCasesMax) return fail(ErrorCode::invalid_argument, "too many tests");
      report.cases.push_back(std::move(read));
    }
  }
  const auto announced = number_of(*document, "tests");
  report.complete = announced <= static_cast<std::int64_t>(report.cases.size());
  if (!report.complete)
    report.incomplete_because = "it announces " + std::to_string(announced) + " tests and holds " + std::to_string(report.cases.size());
  return report;
}

}  // namespace conductorai::evidence
