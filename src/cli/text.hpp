#pragma once
// Text for terminals: what comes from models, tests and files never steers the terminal.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/human.hpp"

namespace conductorai::cli {

/// Valid UTF-8 on one line: escape sequences and control characters gone, line breaks as spaces, direction overrides gone.
std::string clean_line(std::string_view text);
/// The same for many lines; tabs and line breaks stay.
std::string clean_text(std::string_view text);
/// The last `lines` lines of a text, cleaned.
std::string clean_tail(std::string_view text, std::size_t lines);

/// Columns it takes on a terminal.
std::size_t display_width(std::string_view text);
/// Cut to `width` columns, ending in "…" where something was cut.
std::string fit(std::string_view text, std::size_t width);

using conductorai::duration_text;
using conductorai::size_text;

enum class Color { none, red, green, yellow, dim };

struct Cell {
  std::string text;
  Color color = Color::none;
};

/// Left-aligned columns, two spaces between; the last column is cut to the terminal's width.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) { rows_.push_back(dim(std::move(headings))); }
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  /// `width` 0: no limit.
  [[nodiscard]] std::vector<std::string> lines(std::size_t width, bool colors) const;
  [[nodiscard]] std::string text(std::size_t width, bool colors) const;

 private:
  static std::vector<Cell> dim(std::vector<std::string> headings);
  std::vector<std::vector<Cell>> rows_;
};

std::string colored(std::string_view text, Color color, bool colors);

}  // namespace conductorai::cli
