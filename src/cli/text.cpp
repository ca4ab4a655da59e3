#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace conductorai::cli {

namespace {

struct CodePoint {
  char32_t value = 0xFFFD;
  std::size_t length = 1;
  bool valid = false;
};

CodePoint decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 1;
  if (length == 1 || text.size() < length) return {};
  char32_t value = lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    value = value << 6 | (byte & 0x3F);
  }
  const char32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length, true};
}

/// Bytes that an escape sequence starting at text[0] == ESC takes, by ECMA-48: CSI to its final byte, strings to ST or BEL.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return 1;
  const char kind = text[1];
  if (kind == '[') {
    std::size_t i = 2;
    while (i < text.size() && static_cast<unsigned char>(text[i]) >= 0x20 && static_cast<unsigned char>(text[i]) <= 0x3F) ++i;
    return std::min(i + 1, text.size());
  }
  if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    for (std::size_t i = 2; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == '\x1b') return i + 1 < text.size() && text[i + 1] == '\\' ? i + 2 : i;
    }
    return 2;  // never ended: only its introducer goes, the rest is text
  }
  if (static_cast<unsigned char>(kind) >= 0x20 && static_cast<unsigned char>(kind) < 0x7F) return 2;
  return 1;
}

bool is_direction_control(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string clean(std::string_view text, bool keep_lines) {
  std::string out;
  while (!text.empty()) {
    if (text[0] == '\x1b') {
      text.remove_prefix(escape_length(text));
      continue;
    }
    auto [value, length, valid] = decode(text);
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
    auto point = decode(text);
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
    auto point = decode(text);
    if (used + width_of(point.value) + 1 > width) break;
    used += width_of(point.value);
    out += text.substr(0, point.length);
    text.remove_prefix(point.length);
  }
  return width == 0 ? "" : out + "…";
}

std::string duration_text(std::int64_t ms) {
  if (ms < 1'000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1'000);
  if (ms < 3'600'000) return fmt::format("{} min {} s", ms / 60'000, ms / 1'000 % 60);
  return fmt::format("{} h {} min", ms / 3'600'000, ms / 60'000 % 60);
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 1'024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1'024;
  for (const char* unit : {"KiB", "MiB", "GiB"}) {
    if (amount < 1'024) return fmt::format("{:.1f} {}", amount, unit);
    amount /= 1'024;
  }
  return fmt::format("{:.1f} TiB", amount);
}

std::string colored(std::string_view text, Color color, bool colors) {
  if (!colors || color == Color::none || text.empty()) return std::string(text);
  const char* code = color == Color::red ? "31" : color == Color::green ? "32" : color == Color::yellow ? "33" : "2";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::vector<Cell> Table::dim(std::vector<std::string> headings) {
  std::vector<Cell> out;
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
