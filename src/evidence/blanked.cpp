#include "evidence/source_scan.hpp"

namespace conductorai::evidence {
namespace {

class Blanker {
 public:
  Blanker(std::string_view text, Language language) : text_(text), out_(text), language_(language) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (comment()) continue;
      if (text_string()) continue;
      ++at_;
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool hash_comments() const { return language_ == Language::python || language_ == Language::cmake; }

  bool comment() {
    if (hash_comments()) return text_[at_] == '#' && blank_to("\n", false);
    if (text_.substr(at_).starts_with("//")) return blank_to("\n", false);
    if (text_.substr(at_).starts_with("/*")) return blank_to("*/", true);
    return false;
  }

  bool text_string() {
    const char c = text_[at_];
    if (language_ == Language::python && (text_.substr(at_).starts_with("\"\"\"") || text_.substr(at_).starts_with("'''")))
      return triple(c);
    if (c == '"') return quoted('"', false);
    if (c == '`' && (language_ == Language::javascript || language_ == Language::go)) return quoted('`', true);
    if (c != '\'') return false;
    if (language_ == Language::python || language_ == Language::javascript) return quoted('\'', false);
    return character();
  }

  /// 'x' and '\n' of C-like languages; Rust's lifetimes and C++'s digit separators are no strings.
  bool character() {
    const bool escaped = at_ + 1 < text_.size() && text_[at_ + 1] == '\\';
    const auto close = at_ + (escaped ? 3 : 2);
    if (language_ == Language::cmake || close >= text_.size() || text_[close] != '\'') return false;
    for (auto i = at_ + 1; i < close; ++i) out_[i] = ' ';
    at_ = close + 1;
    return true;
  }

  bool triple(char quote) {
    const std::string end(3, quote);
    const auto start = at_ + 3;
    const auto close = text_.find(end, start);
    blank(start, close == std::string_view::npos ? text_.size() : close);
    at_ = close == std::string_view::npos ? text_.size() : close + 3;
    return true;
  }

  bool quoted(char quote, bool across_lines) {
    const auto start = ++at_;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\n' && !across_lines) break;  // not closed: an apostrophe, a regular expression
      if (text_[at_] == '\\' && quote != '`') ++at_;
    }
    at_ = std::min(at_, text_.size());
    blank(start, at_);
    if (at_ < text_.size()) ++at_;
    return true;
  }

  bool blank_to(std::string_view end, bool inclusive) {
    const auto close = text_.find(end, at_ + (inclusive ? 2 : 0));
    const auto stop = close == std::string_view::npos ? text_.size() : close + (inclusive ? end.size() : 0);
    blank(at_, stop);
    at_ = stop;
    return true;
  }

  void blank(std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i)
      if (out_[i] != '\n') out_[i] = ' ';
  }

  std::string_view text_;
  std::string out_;
  Language language_;
  std::size_t at_ = 0;
};

}  // namespace

std::string blanked(std::string_view text, Language language) {
  return Blanker(text, language).run();
}

}  // namespace conductorai::evidence
