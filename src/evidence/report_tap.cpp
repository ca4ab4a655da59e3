#include "evidence/report.hpp"
#include "evidence/text.hpp"

namespace conductorai::evidence {
namespace {

/// Points of the outermost level. Subtests (indented) are summed up by their parent's point; YAML blocks give message, file and line.
class TapWalk {
 public:
  Result<TestReport> walk(std::string_view text) {
    report_.format = "tap";
    for (auto line : lines_of(text)) {
      if (auto r = take(line); !r) return fail(r.error());
      if (bailed_) break;
    }
    if (!announced_ && report_.cases.empty()) return fail(ErrorCode::invalid_argument, "neither a plan nor a test point in the report");
    check_complete();
    return report_;
  }

 private:
  Result<void> take(std::string_view line) {
    if (in_yaml_) {
      take_yaml(line);
      return {};
    }
    if (trimmed(line) == "---" && !report_.cases.empty() && line.starts_with("  ") && !line.starts_with("    ")) {
      in_yaml_ = true;
      return {};
    }
    if (line.empty() || line.front() == ' ' || line.front() == '\t' || line.front() == '#') return {};
    if (line.starts_with("Bail out!"))
      bailed_ = true;
    else if (line.starts_with("1.."))
      return take_plan(line.substr(3));
    else if (line.starts_with("ok") || line.starts_with("not ok"))
      return take_point(line);
    return {};
  }

  Result<void> take_plan(std::string_view rest) {
    const auto number = take_number(rest);
    if (!number) return fail(ErrorCode::invalid_argument, "unreadable plan");
    if (announced_) return fail(ErrorCode::invalid_argument, "a second plan");
    announced_ = *number;
    return {};
  }

  Result<void> take_point(std::string_view line) {
    const bool ok = !line.starts_with("not");
    line.remove_prefix(ok ? 2 : 6);
    if (!line.empty() && line.front() != ' ') return {};  // "okay …" is no point
    if (report_.cases.size() >= kCasesMax) return fail(ErrorCode::invalid_argument, "too many test points");
    line = trimmed(line);
    TestCase point;
    const auto number = take_number(line);
    line = trimmed(line);
    if (line.starts_with("-")) line = trimmed(line.substr(1));
    const auto [name, directive] = split_directive(line);
    point.name = name.empty() ? "test " + std::to_string(number.value_or(static_cast<int>(report_.cases.size()) + 1)) : std::string(name);
    point.status = ok ? CaseStatus::passed : CaseStatus::failed;
    if (!directive.empty()) {
      point.status = CaseStatus::skipped;
      point.message = std::string(directive);
    }
    report_.cases.push_back(std::move(point));
    return {};
  }

  /// "name # SKIP reason"; an escaped "\#" belongs to the name.
  static std::pair<std::string_view, std::string_view> split_directive(std::string_view line) {
    for (auto at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
      if (at > 0 && line[at - 1] == '\\') continue;
      const auto directive = trimmed(line.substr(at + 1));
      std::string word(directive.substr(0, 4));
      for (auto& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (word == "skip" || word == "todo") return {trimmed(line.substr(0, at)), directive};
    }
    return {line, {}};
  }

  void take_yaml(std::string_view line) {
    const auto text = trimmed(line);
    if (text == "...") {
      in_yaml_ = false;
      return;
    }
    auto& point = report_.cases.back();
    if (point.status != CaseStatus::failed) return;
    if (point.message.size() < kMessageMax) point.message += std::string(text) + "\n";
    if (text.starts_with("location:") || text.starts_with("at:")) take_place(text.substr(text.find(':') + 1), point);
  }

  /// 'file.js:3:1', quoted or not.
  static void take_place(std::string_view place, TestCase& point) {
    place = trimmed(place);
    while (!place.empty() && (place.front() == '\'' || place.front() == '"')) place.remove_prefix(1);
    const auto colon = place.find(':');
    if (colon == std::string_view::npos) return;
    auto rest = place.substr(colon + 1);
    const auto line = take_number(rest);
    if (!line) return;
    point.file = std::string(place.substr(0, colon));
    point.line = *line;
  }

  void check_complete() {
    const auto found = static_cast<int>(report_.cases.size());
    if (bailed_)
      report_.incomplete_because = "it bailed out";
    else if (!announced_)
      report_.incomplete_because = "it has no plan";
    else if (*announced_ != found)
      report_.incomplete_because = "it announces " + std::to_string(*announced_) + " tests and holds " + std::to_string(found);
    report_.complete = report_.incomplete_because.empty();
  }

  TestReport report_;
  std::optional<int> announced_;
  bool in_yaml_ = false;
  bool bailed_ = false;
};

}  // namespace

Result<TestReport> parse_tap(std::string_view text) {
  if (text.size() > kReportBytesMax) return fail(ErrorCode::invalid_argument, "the report is too large");
  return TapWalk().walk(text);
}

}  // namespace conductorai::evidence
