#include "agents/development/fixture_checks.hpp"

#include <algorithm>
#include <array>

#include "core/document/document.hpp"
#include "core/json.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

std::string ending_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  std::string ending(dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1));
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

std::string check_json(std::string_view text) {
  auto parsed = core::parse_json(text);
  return parsed ? std::string() : parsed.error().message + " at " + parsed.error().where;
}

std::string check_json_lines(std::string_view text) {
  int number = 0;
  for (const std::string_view line : evidence::lines_of(text)) {
    ++number;
    if (evidence::trimmed(line).empty()) continue;
    if (auto parsed = core::parse_json(line); !parsed) return "line " + std::to_string(number) + ": " + parsed.error().message;
  }
  return {};
}

// RFC 4180: quoted fields may hold separators and line ends, and double their quotes.
class CsvReader {
 public:
  CsvReader(std::string_view text, char separator) : text_(text), separator_(separator) {}

  std::string check() {
    std::size_t width = 0;
    for (int row = 1; at_ < text_.size(); ++row) {
      const int line = line_;
      std::size_t fields = 0;
      if (std::string wrong = read_row(fields); !wrong.empty()) return "line " + std::to_string(line) + ": " + wrong;
      if (row == 1) width = fields;
      if (fields != width)
        return "line " + std::to_string(line) + ": " + std::to_string(fields) + " fields, the first row has " + std::to_string(width);
    }
    return width == 0 ? "it is empty" : "";
  }

 private:
  std::string read_row(std::size_t& fields) {
    for (;;) {
      ++fields;
      if (std::string wrong = at_ < text_.size() && text_[at_] == '"' ? read_quoted() : read_plain(); !wrong.empty()) return wrong;
      if (at_ < text_.size() && text_[at_] == separator_) {
        ++at_;
        continue;
      }
      return end_row();
    }
  }
  std::string end_row() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ >= text_.size()) return {};
    if (text_[at_] != '\n') return "text after a closing quote";
    ++at_;
    ++line_;
    return {};
  }
  std::string read_plain() {
    for (; at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r'; ++at_)
      if (text_[at_] == '"') return "a quote inside an unquoted field";
    return {};
  }
  std::string read_quoted() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') continue;
      if (at_ + 1 < text_.size() && text_[at_ + 1] == '"')
        ++at_;
      else
        return ++at_, std::string();
    }
    return "a quoted field is not closed";
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  int line_ = 1;
};

std::string check_yaml(std::string_view path, std::string_view text) {
  auto parsed = core::document::parse(text, path, core::document::Format::yaml);
  return parsed ? std::string() : parsed.error().message + " at " + parsed.error().where;
}

}  // namespace

bool is_data_file(std::string_view path) {
  static constexpr std::array<std::string_view, 18> kEndings{"json", "jsonl", "ndjson", "csv", "tsv",  "sql", "yaml", "yml", "xml",
                                                             "txt",  "md",    "toml",   "ini", "html", "log", "dat",  "bin", "geojson"};
  return std::ranges::find(kEndings, ending_of(path)) != kEndings.end();
}

bool is_in_test_folder(std::string_view path) {
  static constexpr std::array<std::string_view, 11> kFolders{"test",      "tests",     "__tests__", "spec",     "testing",     "testdata",
                                                             "test_data", "test-data", "fixture",   "fixtures", "__fixtures__"};
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    if (std::ranges::find(kFolders, path.substr(0, slash)) != kFolders.end()) return true;
    path.remove_prefix(slash + 1);
  }
  return false;
}

std::optional<std::string> check_fixture(std::string_view path, std::string_view content) {
  const std::string ending = ending_of(path);
  if (ending == "json" || ending == "geojson") return check_json(content);
  if (ending == "jsonl" || ending == "ndjson") return check_json_lines(content);
  if (ending == "csv") return CsvReader(content, ',').check();
  if (ending == "tsv") return CsvReader(content, '\t').check();
  if (ending == "sql") return check_sql(content);
  if (ending == "yaml" || ending == "yml") return check_yaml(path, content);
  return std::nullopt;
}

}  // namespace conductorai::agents
