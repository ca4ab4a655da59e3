// Scalars: plain, quoted and block.

#include <fmt/format.h>

#include "core/document/words.hpp"
#include "core/document/yaml_parser.hpp"

namespace conductorai::core::document {

bool YamlParser::can_start_plain(Context context) const {
  const char c = peek();
  if (c == '-' || c == '?' || c == ':') {
    const char next = peek(1);
    return !is_blank_or_end(next) && !(context == Context::flow && is_flow_indicator(next));
  }
  static constexpr std::string_view kIndicators = ",[]{}#&*!|>'\"%@`";
  return !is_blank_or_end(c) && kIndicators.find(c) == std::string_view::npos;
}

/// What one line holds of a plain scalar, without the blanks after it.
std::string_view YamlParser::plain_line(Context context) {
  const std::size_t start = pos_;
  const bool flow = context == Context::flow;
  std::size_t end = pos_;
  for (std::size_t i = pos_;; ++i) {
    const char c = source_.at(i);
    const char next = source_.at(i + 1);
    if (c == '\n' || c == '\0' || (flow && is_flow_indicator(c))) break;
    if (c == ':' && (is_blank_or_end(next) || (flow && is_flow_indicator(next)))) break;
    if (c == '#' && (i == start || is_blank(source_.at(i - 1)))) break;
    if (!is_blank(c)) end = i + 1;
  }
  pos_ = end;
  return source_.text().substr(start, end - start);
}

/// The further lines of a plain scalar, folded: a line break is a space, each empty line a line break.
std::string YamlParser::plain_rest(std::string text, int parent, Context context) {
  while (true) {
    const std::size_t kept_pos = pos_;
    const std::size_t kept_line = line_start_;
    const auto stop = [&] {
      pos_ = kept_pos;
      line_start_ = kept_line;
      return std::move(text);
    };
    std::size_t breaks = 0;
    for (skip_blanks(); peek() == '\n'; skip_blanks()) {
      new_line();
      ++breaks;
    }
    const std::size_t content = pos_;
    pos_ = line_start_;
    const bool marker = at_marker("---") || at_marker("...");
    while (peek() == ' ') ++pos_;
    const bool indented = column() > parent;
    pos_ = content;
    if (breaks == 0 || at_end() || marker || !indented || peek() == '#') return stop();
    const std::string_view line = plain_line(context);
    if (line.empty()) return stop();
    text += breaks == 1 ? std::string(1, ' ') : std::string(breaks - 1, '\n');
    text += line;
  }
}

/// A line break inside quotes and the blanks around it. `keep` bytes of `out` were escaped and are not trimmed.
void YamlParser::fold_quoted(std::string& out, std::size_t keep, int parent, std::size_t opened) {
  while (out.size() > keep && is_blank(out.back())) out.pop_back();
  std::size_t breaks = 0;
  while (peek() == '\n') {
    new_line();
    ++breaks;
    if (at_marker("---") || at_marker("...")) error(opened, "the quoted text is not closed before the document ends");
    skip_blanks();
  }
  if (at_end()) return;
  std::size_t spaces = 0;
  while (source_.at(line_start_ + spaces) == ' ') ++spaces;
  if (static_cast<int>(spaces) <= parent)
    error(pos_, "the lines of a quoted text must be indented more than the key they belong to", "is a closing quote missing?");
  out += breaks == 1 ? std::string(1, ' ') : std::string(breaks - 1, '\n');
}

std::string YamlParser::single_quoted(int parent) {
  const std::size_t opened = pos_++;
  std::string out;
  while (true) {
    if (at_end()) error(opened, "the quote ' is never closed");
    if (peek() == '\n') {
      fold_quoted(out, 0, parent, opened);
    } else if (peek() == '\'') {
      ++pos_;
      if (peek() != '\'') return out;
      out += '\'';
      ++pos_;
    } else {
      out += peek();
      ++pos_;
    }
  }
}

std::string YamlParser::double_quoted(int parent) {
  const std::size_t opened = pos_++;
  std::string out;
  std::size_t keep = 0;
  while (true) {
    if (at_end()) error(opened, "the quote \" is never closed");
    const char c = peek();
    if (c == '\n') {
      fold_quoted(out, keep, parent, opened);
      keep = out.size();
    } else if (c == '\\') {
      escape(out, parent);
      keep = out.size();
    } else {
      ++pos_;
      if (c == '"') return out;
      out += c;
    }
  }
}

void YamlParser::escape(std::string& out, int parent) {
  const std::size_t start = pos_++;
  const char c = peek();
  ++pos_;
  switch (c) {
    case 'a': out += '\a'; return;
    case 'b': out += '\b'; return;
    case 't':
    case '\t': out += '\t'; return;
    case 'n': out += '\n'; return;
    case 'v': out += '\v'; return;
    case 'f': out += '\f'; return;
    case 'r': out += '\r'; return;
    case 'e': out += '\x1B'; return;
    case ' ':
    case '"':
    case '/':
    case '\\': out += c; return;
    case 'N': append_utf8(out, 0x85); return;
    case '_': append_utf8(out, 0xA0); return;
    case 'L': append_utf8(out, 0x2028); return;
    case 'P': append_utf8(out, 0x2029); return;
    case 'x': append_utf8(out, read_u_escape(source_, pos_, 2)); return;
    case 'u': append_utf8(out, read_u_escape(source_, pos_, 4)); return;
    case 'U': append_utf8(out, read_u_escape(source_, pos_, 8)); return;
    case '\n': {  // joins the lines; the line break itself is dropped
      --pos_;
      std::string folded;
      fold_quoted(folded, 0, parent, start);
      if (folded != " ") out += folded;
      return;
    }
    default: error(start, "unknown escape in a quoted text", "write '\\\\' for a backslash, or use single quotes");
  }
}

/// `|` keeps line breaks, `>` folds them; `-` and `+` say what becomes of those at the end, a digit gives the indentation.
Node YamlParser::block_scalar(int parent) {
  const std::size_t start = pos_;
  BlockText block{.folded = peek() == '>'};
  for (++pos_; !is_blank_or_end(peek()); ++pos_) {
    const char c = peek();
    if ((c == '-' || c == '+') && block.chomp == ' ')
      block.chomp = c;
    else if (c >= '1' && c <= '9' && block.indent < 0)
      block.indent = std::max(parent, 0) + (c - '0');
    else
      error(pos_, "a block text's header is '|' or '>', then at most one of '-' and '+' and one digit", "its text begins on the next line");
  }
  skip_blanks();
  skip_comment();
  if (!at_end() && peek() != '\n') error(pos_, "the text of a block begins on the next line");
  if (!at_end()) new_line();
  while (!at_stop() && block_line(block, parent)) {
  }
  if (block.chomp == '+')
    block.text.append(block.breaks, '\n');
  else if (block.chomp == ' ' && !block.empty && block.breaks > 0)
    block.text += '\n';
  return scalar(std::move(block.text), start, true);
}

/// Takes one line; false when it is the first after the block, and is left alone.
bool YamlParser::block_line(BlockText& block, int parent) {
  std::size_t spaces = 0;
  while (peek(spaces) == ' ' && (block.indent < 0 || static_cast<int>(spaces) < block.indent)) ++spaces;
  if (peek(spaces) == '\n' || peek(spaces) == '\0') {
    if (block.indent < 0 && spaces > block.blank_indent) block.blank_indent = spaces, block.blank_at = pos_;
    pos_ += spaces;
    if (at_end()) return false;
    ++block.breaks;
    new_line();
    return true;
  }
  if (block.indent < 0) {
    if (static_cast<int>(spaces) <= parent) return false;
    if (block.blank_indent > spaces) error(block.blank_at, "an empty line at the start of a block text is indented more than the text");
    block.indent = static_cast<int>(spaces);
  }
  if (static_cast<int>(spaces) < block.indent) return false;
  pos_ += spaces;
  const std::size_t begin = pos_;
  while (!at_end() && peek() != '\n') ++pos_;
  const std::string_view line = source_.text().substr(begin, pos_ - begin);
  const bool indented = is_blank(line.front());
  const bool fold = block.folded && !block.empty && !block.was_indented && !indented;
  if (fold && block.breaks == 1)
    block.text += ' ';
  else
    block.text.append(block.breaks - (fold ? 1 : 0), '\n');
  block.text += line;
  block.empty = false;
  block.was_indented = indented;
  block.breaks = at_end() ? 0 : 1;
  if (!at_end()) new_line();
  return true;
}

}  // namespace conductorai::core::document
