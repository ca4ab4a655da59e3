#include "evidence/findings.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "evidence/text.hpp"

namespace conductorai::evidence {
namespace {

struct Place {
  std::string file;  // relative to the workspace
  int line = 0;
};

/// The workspace's files by last name, to find the longest suffix of a path quickly.
class Files {
 public:
  explicit Files(const std::vector<std::string>& files) : files_(files.begin(), files.end()) {}

  [[nodiscard]] std::optional<std::string> relative(std::string_view path) const {
    while (path.starts_with("./") || path.starts_with("../")) path.remove_prefix(path.find('/') + 1);
    while (!path.empty()) {
      if (files_.contains(path)) return std::string(path);
      const auto slash = path.find('/');
      if (slash == std::string_view::npos) return std::nullopt;
      path.remove_prefix(slash + 1);
    }
    return std::nullopt;
  }

 private:
  std::set<std::string, std::less<>> files_;
};

bool is_path_char(char c) {
  return is_word(c) || c == '/' || c == '.' || c == '-' || c == '+' || c == '@';
}

/// "path:12" whose path ends just before the colon at `colon`.
std::optional<Place> place_before_colon(std::string_view line, std::size_t colon, const Files& files) {
  auto start = colon;
  while (start > 0 && is_path_char(line[start - 1])) --start;
  auto file = files.relative(line.substr(start, colon - start));
  if (!file) return std::nullopt;
  auto rest = line.substr(colon + 1);
  const auto number = take_number(rest);
  if (!number || *number == 0) return std::nullopt;
  return Place{std::move(*file), *number};
}

std::optional<Place> colon_place(std::string_view line, const Files& files) {
  for (auto colon = line.find(':'); colon != std::string_view::npos; colon = line.find(':', colon + 1))
    if (auto place = place_before_colon(line, colon, files)) return place;
  return std::nullopt;
}

/// `File "path", line 12`
std::optional<Place> python_place(std::string_view line, const Files& files) {
  const auto at = line.find("File \"");
  if (at == std::string_view::npos) return std::nullopt;
  const auto path = line.substr(at + 6);
  const auto quote = path.find("\", line ");
  if (quote == std::string_view::npos) return std::nullopt;
  auto file = files.relative(path.substr(0, quote));
  auto rest = path.substr(quote + 8);
  const auto number = take_number(rest);
  if (!file || !number) return std::nullopt;
  return Place{std::move(*file), *number};
}

std::optional<Place> place_in(std::string_view line, const Files& files) {
  if (auto place = python_place(line, files)) return place;
  return colon_place(line, files);
}

/// Two lines of a sanitizer's report belong together: what, and the first frame in a file of the workspace.
bool opens_sanitizer_report(std::string_view line) {
  return line.find("ERROR: AddressSanitizer: ") != std::string_view::npos ||
         line.find("WARNING: ThreadSanitizer: ") != std::string_view::npos ||
         line.find("ERROR: LeakSanitizer: ") != std::string_view::npos ||
         line.find("WARNING: MemorySanitizer: ") != std::string_view::npos ||
         line.find("ERROR: UndefinedBehaviorSanitizer: ") != std::string_view::npos;
}

/// "==123==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x… at pc …" without process id and addresses, which differ each run.
std::string sanitizer_message(std::string_view line) {
  auto start = line.find("ERROR: ");
  start = start == std::string_view::npos ? line.find("WARNING: ") + 9 : start + 7;
  auto text = line.substr(start);
  for (const std::string_view tail : {" on address ", " on unknown address ", " (pid="}) {
    const auto cut = text.find(tail);
    if (cut != std::string_view::npos) text = text.substr(0, cut);
  }
  return std::string(trimmed(text));
}

bool is_frame(std::string_view line) {
  line = trimmed(line);
  return line.size() > 2 && line[0] == '#' && std::isdigit(static_cast<unsigned char>(line[1])) != 0;
}

/// Words by which programs mark a line of their output as the statement of a failure.
std::optional<std::string> failure_message(std::string_view line) {
  static constexpr std::string_view kMarks[] = {" error: ", " fatal error: ", " runtime error: ", ": Failure",
                                                ": error:", ": Assertion `",  " panicked at "};
  const bool marked = std::ranges::any_of(kMarks, [&](std::string_view mark) { return line.find(mark) != std::string_view::npos; });
  if (!marked) return std::nullopt;
  return shortened(trimmed(line), 500);
}

bool is_exception_line(std::string_view line) {
  if (line.empty() || std::isalpha(static_cast<unsigned char>(line.front())) == 0) return false;
  const auto end = line.find_first_of(": ");
  const auto name = line.substr(0, end);
  return name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Interrupt") || name.ends_with("Exit");
}

class OutputWalk {
 public:
  OutputWalk(const std::vector<std::string>& files, std::size_t limit) : files_(files), limit_(limit) {}

  std::vector<Finding> walk(std::string_view output) {
    for (auto line : lines_of(output)) {
      if (found_.size() >= limit_) break;
      take(line);
    }
    flush_sanitizer();
    return std::move(found_);
  }

 private:
  void take(std::string_view line) {
    if (opens_sanitizer_report(line)) {
      flush_sanitizer();
      sanitizer_ = sanitizer_message(line);
      return;
    }
    if (sanitizer_ && is_frame(line)) {
      auto place = colon_place(line, files_);
      if (place) add(std::exchange(sanitizer_, std::nullopt).value(), std::move(place), "sanitizer");
      return;
    }
    if (auto place = python_place(line, files_)) {
      python_ = std::move(place);  // the deepest frame of the project stands last
      return;
    }
    if (python_ && is_exception_line(line)) {
      add(shortened(line, 500), std::exchange(python_, std::nullopt), "output");
      return;
    }
    auto message = failure_message(line);
    if (!message) return;
    const bool ubsan = line.find(" runtime error: ") != std::string_view::npos;
    if (auto place = colon_place(line, files_)) add(std::move(*message), std::move(place), ubsan ? "sanitizer" : "output");
  }

  void flush_sanitizer() {
    if (sanitizer_) add(*std::exchange(sanitizer_, std::nullopt), std::nullopt, "sanitizer");
  }

  void add(std::string message, std::optional<Place> place, std::string source) {
    Finding finding{.severity = Severity::error, .message = std::move(message), .source = std::move(source)};
    if (place) {
      finding.file = std::move(place->file);
      finding.line = place->line;
    }
    const auto same = [&](const Finding& f) {
      return f.file == finding.file && f.line == finding.line && (f.line != 0 || f.message == finding.message);
    };
    if (std::ranges::none_of(found_, same) && found_.size() < limit_) found_.push_back(std::move(finding));
  }

  Files files_;
  std::size_t limit_;
  std::vector<Finding> found_;
  std::optional<std::string> sanitizer_;  // a report whose place is still to come
  std::optional<Place> python_;
};

/// The last place the message names: tracebacks end where it happened.
std::optional<Place> place_of(const TestCase& test, const Files& files) {
  if (auto file = files.relative(test.file); file && test.line > 0) return Place{std::move(*file), test.line};
  for (auto line : lines_of(test.message))
    if (auto place = place_in(line, files)) return place;
  if (auto file = files.relative(test.file)) return Place{std::move(*file), 0};
  return std::nullopt;
}

}  // namespace

std::vector<Finding> findings_in_output(std::string_view output, const std::vector<std::string>& files, std::size_t limit) {
  return OutputWalk(files, limit).walk(output);
}

std::vector<Finding> findings_of(const TestReport& report, const std::vector<std::string>& files, std::size_t limit) {
  const Files known(files);
  std::vector<Finding> found;
  for (const auto& test : report.cases) {
    if (found.size() >= limit) break;
    if (test.status != CaseStatus::failed && test.status != CaseStatus::error) continue;
    Finding finding{.severity = Severity::error, .message = test.name + " " + std::string(to_string(test.status)), .source = "test"};
    // A sanitizer's or compiler's own statement inside the message says more than its first line.
    const auto inner = findings_in_output(test.message, files, 1);
    if (!inner.empty() && inner.front().source == "sanitizer") finding.message += ": " + inner.front().message;
    if (!test.message.empty()) finding.message += "\n" + test.message;
    auto place = place_of(test, known);
    if (!inner.empty() && !inner.front().file.empty() && (!place || place->line == 0))
      place = Place{inner.front().file, inner.front().line};
    if (!inner.empty() && inner.front().source == "sanitizer" && !inner.front().file.empty())
      place = Place{inner.front().file, inner.front().line};
    if (place) {
      finding.file = std::move(place->file);
      finding.line = place->line;
    }
    finding.message = shortened(finding.message, 2'000);
    found.push_back(std::move(finding));
  }
  return found;
}

}  // namespace conductorai::evidence
