#include "agents/devops/dockerfile_parser.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

using evidence::lines_of;
using evidence::trimmed;

Finding finding(int line, std::string message) {
  return {.severity = Severity::error, .file = {}, .line = line, .message = std::move(message), .source = "dockerfile"};
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

struct Heredoc {
  std::string word;
  bool trims_tabs = false;
};

// "<<EOF", "<<-EOF", "<<'EOF'"; "<<<" is a here-string of the shell.
std::optional<Heredoc> heredoc_of(std::string_view word) {
  if (!word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0) word.remove_prefix(1);  // a file descriptor
  if (!word.starts_with("<<") || word.starts_with("<<<")) return std::nullopt;
  word.remove_prefix(2);
  Heredoc out;
  if (word.starts_with('-')) {
    out.trims_tabs = true;
    word.remove_prefix(1);
  }
  if (word.size() >= 2 && (word.front() == '"' || word.front() == '\'') && word.back() == word.front())
    word = word.substr(1, word.size() - 2);
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) { return evidence::is_word(c) || c == '-' || c == '.'; });
  if (!plain) return std::nullopt;
  out.word = std::string(word);
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lines_(lines_of(text)) {}

  ParsedDockerfile parse() {
    read_directives();
    while (at_ < lines_.size()) {
      const auto line = trimmed(lines_[at_]);
      if (line.empty() || line.front() == '#')
        ++at_;
      else
        read_instruction();
    }
    return std::move(out_);
  }

 private:
  // "# escape=`" counts only above everything else.
  void read_directives() {
    for (; at_ < lines_.size(); ++at_) {
      auto line = trimmed(lines_[at_]);
      if (!line.starts_with('#')) return;
      const auto equals = line.find('=');
      if (equals == std::string_view::npos) return;
      const auto key = upper(trimmed(line.substr(1, equals - 1)));
      const auto value = trimmed(line.substr(equals + 1));
      if (key != "ESCAPE" && key != "SYNTAX" && key != "CHECK") return;
      if (key != "ESCAPE") continue;
      if (value == "`" || value == "\\")
        escape_ = value.front();
      else
        out_.findings.push_back(
            finding(static_cast<int>(at_) + 1, "the escape directive takes \\ or `, not '" + evidence::shortened(value, 20) + "'"));
    }
  }

  // Takes the line; whether it goes on in the next one.
  bool take(std::string_view line, std::string& text) {
    auto end = line.find_last_not_of(" \t");
    if (end == std::string_view::npos || line[end] != escape_) {
      text += line;
      return false;
    }
    text += line.substr(0, end);
    return true;
  }

  void read_instruction() {
    DockerInstruction instruction{.line = static_cast<int>(at_) + 1, .name = {}, .flags = {}, .rest = {}, .heredoc = false};
    std::string text;
    bool more = take(lines_[at_++], text);
    while (more && at_ < lines_.size()) {
      const auto line = lines_[at_++];
      const auto bare = trimmed(line);
      if (bare.empty() || bare.front() == '#') continue;  // inside a continuation both are passed over
      more = take(line, text);
    }
    split(trimmed(text), instruction);
    read_heredocs(instruction);
    out_.instructions.push_back(std::move(instruction));
  }

  static void split(std::string_view text, DockerInstruction& out) {
    const auto end = text.find_first_of(" \t");
    out.name = upper(text.substr(0, end));
    std::string_view rest = end == std::string_view::npos ? std::string_view{} : trimmed(text.substr(end));
    while (rest.starts_with("--")) {
      const auto stop = rest.find_first_of(" \t");
      const auto flag = rest.substr(2, stop == std::string_view::npos ? stop : stop - 2);
      if (flag.empty()) break;
      const auto equals = flag.find('=');
      out.flags.emplace_back(flag.substr(0, equals), equals == std::string_view::npos ? std::string_view{} : flag.substr(equals + 1));
      rest = stop == std::string_view::npos ? std::string_view{} : trimmed(rest.substr(stop));
    }
    out.rest = std::string(rest);
  }

  void read_heredocs(DockerInstruction& instruction) {
    if (instruction.name != "RUN" && instruction.name != "COPY" && instruction.name != "ADD") return;
    if (instruction.rest.find("<<") == std::string::npos) return;
    for (const std::string& word : docker_words(instruction.rest)) {
      const auto heredoc = heredoc_of(word);
      if (!heredoc) continue;
      instruction.heredoc = true;
      if (!skip_to(*heredoc)) {
        out_.findings.push_back(finding(instruction.line, "the here-document '" + heredoc->word + "' is never closed"));
        return;
      }
    }
  }

  bool skip_to(const Heredoc& heredoc) {
    while (at_ < lines_.size()) {
      auto line = lines_[at_++];
      while (heredoc.trims_tabs && line.starts_with('\t')) line.remove_prefix(1);
      if (line == heredoc.word) return true;
    }
    return false;
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  char escape_ = '\\';
  ParsedDockerfile out_;
};

}  // namespace

ParsedDockerfile parse_dockerfile(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return Parser(text).parse();
}

std::vector<std::string> docker_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t')) {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
      continue;
    }
    inside = true;
    word += c;
    if (c == '\\' && quote != '\'' && i + 1 < text.size())
      word += text[++i];
    else if (quote == c)
      quote = 0;
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
  }
  if (inside) words.push_back(std::move(word));
  return words;
}

}  // namespace conductorai::agents
