#include "evidence/report.hpp"
#include "evidence/text.hpp"
#include "evidence/xml.hpp"

namespace conductorai::evidence {
namespace {

/// Walks a JUnit document. What a <testcase> says of itself comes in three dialects: child elements (all writers), `status` (CTest,
/// GoogleTest) and `result` (GoogleTest).
class JUnitWalk {
 public:
  explicit JUnitWalk(std::string_view text) : reader_(text) {}

  Result<TestReport> walk() {
    report_.format = "junit";
    while (true) {
      auto token = reader_.next();
      if (!token) {
        if (!suite_seen_) return fail(token.error());
        report_.incomplete_because = to_string(token.error());
        return report_;
      }
      if (*token == XmlReader::Token::end) break;
      if (auto r = take(*token); !r) return fail(r.error());
    }
    if (!suite_seen_) return fail(ErrorCode::invalid_argument, "no <testsuite> in the report");
    check_announced();
    return report_;
  }

 private:
  Result<void> take(XmlReader::Token token) {
    switch (token) {
      case XmlReader::Token::open: return open();
      case XmlReader::Token::close: close(); return {};
      case XmlReader::Token::text:
        if (collecting_ && case_.message.size() < kMessageMax) case_.message += reader_.text();
        return {};
      case XmlReader::Token::end: return {};
    }
    return {};
  }

  Result<void> open() {
    const auto& name = reader_.name();
    if (name == "testsuites" || name == "testsuite")
      open_suite(name == "testsuites");
    else if (name == "testcase")
      return open_case();
    else if (in_case_)
      open_detail(name);
    return {};
  }

  void open_suite(bool all) {
    suite_seen_ = true;
    // <testsuites> announces for all below it. Where it is silent, or absent, the outermost <testsuite>s add up.
    auto tests = reader_.attribute("tests");
    const auto number = take_number(tests);
    if (all && number) announced_by_root_ = true;
    if (all || (!announced_by_root_ && suites_open_ == 0)) announced_ += static_cast<std::size_t>(number.value_or(0));
    if (!all) ++suites_open_;
  }

  Result<void> open_case() {
    if (in_case_) return fail(ErrorCode::invalid_argument, "a <testcase> inside a <testcase>");
    if (report_.cases.size() >= kCasesMax) return fail(ErrorCode::invalid_argument, "too many test cases");
    in_case_ = true;
    case_ = TestCase{};
    const auto name = reader_.attribute("name");
    const auto suite = reader_.attribute("classname");
    // CTest repeats the name as the class name.
    case_.name = suite.empty() || suite == name ? std::string(name) : std::string(suite) + "." + std::string(name);
    case_.file = std::string(reader_.attribute("file"));
    auto line = reader_.attribute("line");
    case_.line = take_number(line).value_or(0);
    const auto status = reader_.attribute("status");
    const auto result = reader_.attribute("result");
    if (status == "fail" || status == "failed")
      case_.status = CaseStatus::failed;
    else if (status == "notrun" && result.empty())
      case_.status = CaseStatus::error;  // CTest: the program is missing
    else if (status == "notrun" || status == "disabled" || result == "skipped" || result == "suppressed")
      case_.status = CaseStatus::skipped;
    return {};
  }

  void open_detail(const std::string& name) {
    if (name == "failure")
      set(CaseStatus::failed);
    else if (name == "error")
      set(CaseStatus::error);
    else if (name == "skipped")
      skipped();
    else if (name == "system-out" || name == "system-err")
      collecting_ = is_failure();
  }

  void set(CaseStatus status) {
    if (!is_failure()) case_.status = status;
    collecting_ = true;
    append_message(reader_.attribute("message"));
  }

  /// CTest writes <skipped> for a test whose program is missing too; only its SKIP_… properties mean a wish.
  void skipped() {
    const auto message = reader_.attribute("message");
    append_message(message);
    if (!is_failure() || message.starts_with("SKIP_")) case_.status = CaseStatus::skipped;
  }

  void append_message(std::string_view message) {
    if (message.empty()) return;
    if (!case_.message.empty()) case_.message += '\n';
    case_.message += std::string(message) + "\n";
  }

  void close() {
    collecting_ = false;
    if (reader_.name() == "testsuite") --suites_open_;
    if (reader_.name() != "testcase") return;
    in_case_ = false;
    case_.message = shortened(trimmed(case_.message), kMessageMax);
    report_.cases.push_back(std::move(case_));
  }

  /// A writer that was stopped and closed its tags by itself still names fewer cases than it announced.
  void check_announced() {
    const auto found = report_.cases.size();
    report_.complete = found >= announced_;
    if (!report_.complete)
      report_.incomplete_because = "it announces " + std::to_string(announced_) + " tests and holds " + std::to_string(found);
  }

  [[nodiscard]] bool is_failure() const { return case_.status == CaseStatus::failed || case_.status == CaseStatus::error; }

  XmlReader reader_;
  TestReport report_;
  TestCase case_;
  std::size_t announced_ = 0;
  int suites_open_ = 0;
  bool announced_by_root_ = false;
  bool suite_seen_ = false;
  bool in_case_ = false;
  bool collecting_ = false;
};

}  // namespace

Result<TestReport> parse_junit(std::string_view text) {
  if (text.size() > kReportBytesMax) return fail(ErrorCode::invalid_argument, "the report is too large");
  return JUnitWalk(text).walk();
}

}  // namespace conductorai::evidence
