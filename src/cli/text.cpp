#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace conductorai::cli {

namespace {

std::string clean(std::string_view text, bool keep_lines) {
  std::string out;
  while (!text.empty()) {
    if (text[0] == '\x1b') {
      text.remove_prefix(escape_sequence_length(text));
      continue;
    }
    auto [value, length, valid] = decode_utf8(text);
    if (!valid)
      out += "\uFFFD";
    else if (value == '\n' || value == '\t')
      out += keep_lines ? static_cast<char>(value) : ' ';
    else if (value == '\r')
      out += keep_lines ? "" : " ";
    else if (value >= 0x20 && value != 0x7F && !(value >= 0x80 && value < 0xA0) && !is_direction_control(value))
      out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

std::size_t width_of(char32_t c) {
  if ((c >= 0x0300 && c <= 0x036F) || (c >= 0x200B && c <= 0x200D) || (c >= 0xFE00 && c <= 0xFE0F)) return 0;
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
                    (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0x1F300 && c <= 0x1FAFF);
  return wide ? 2 : 1;
}

}  // namespace

std::string clean_line(std::string_view text) {
  std::string out = clean(text, false);
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}
std::string clean_text(std::string_view text) {
  return clean(text, true);
}

std::string clean_tail(std::string_view text, std::size_t lines) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t start = text.size();
  for (std::size_t n = 0; n < lines && start != 0 && start != std::string_view::npos; ++n) start = text.rfind('\n', start - 1);
  if (start == std::string_view::npos || start == 0) return clean_text(text);
  return clean_text(text.substr(start + 1));
}

std::size_t display_width(std::string_view text) {
  std::size_t out = 0;
  while (!text.empty()) {
    auto point = decode_utf8(text);
    out += width_of(point.value);
    text.remove_prefix(point.length);
  }
  return out;
}

std::string fit(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    auto point = decode_utf8(text);
    if (used + width_of(point.value) + 1 > width) break;
    used += width_of(point.value);
    out += text.substr(0, point.length);
    text.remove_prefix(point.length);
  }
  return width == 0 ? "" : out + "…";
}

std::string colored(std::string_view text, Color color, bool colors) {
  if (!colors || color == Color::none || text.empty()) return std::string(text);
  const char* code = color == Color::red ? "31" : color == Color::green ? "32" : color == Color::yellow ? "33" : "2";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::vector<Cell> Table::dim(std::vector<std::string> headings) {
  std::vector<Cell> out;
  out.reserve(headings.size());
  for (auto& heading : headings) out.push_back({std::move(heading), Color::dim});
  return out;
}

std::vector<std::string> Table::lines(std::size_t width, bool colors) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  std::vector<std::string> out;
  for (const auto& row : rows_) {
    std::string line;
    std::size_t used = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      const std::size_t room = width == 0 ? std::string::npos : width > used ? width - used : 0;
      const std::string text = fit(row[i].text, room);
      line += colored(text, row[i].color, colors);
      if (last || room <= display_width(text)) break;
      const std::size_t pad = std::min(widths[i] + 2 - display_width(text), room - display_width(text));
      line.append(pad, ' ');
      used += display_width(text) + pad;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out.push_back(std::move(line));
  }
  return out;
}

std::string Table::text(std::size_t width, bool colors) const {
  std::string out;
  for (const auto& line : lines(width, colors)) out += line + "\n";
  return out;
}

}  // namespace conductorai::cli
