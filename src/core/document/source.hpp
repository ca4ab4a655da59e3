#pragma once
// The text under a parser: checked bytes, line breaks as '\n', and offsets turned into lines and columns.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/document/document.hpp"

namespace conductorai::core::document {

/// How the parsers leave a text that is wrong, from however deep. It never crosses `parse`.
struct SyntaxError {
  std::size_t offset = 0;
  std::string message;
  std::string hint = {};
};

class Source {
 public:
  /// Throws SyntaxError for bytes that may not stand in any document: invalid UTF-8, control characters.
  explicit Source(std::string_view bytes);

  [[nodiscard]] std::string_view text() const { return text_; }
  /// The character at `offset`; '\0', which never stands in a text, past its end.
  [[nodiscard]] char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
  [[nodiscard]] Position position(std::size_t offset) const;

 private:
  [[nodiscard]] std::uint32_t characters_before(std::size_t offset) const;
  void index();

  std::string text_;
  std::vector<std::size_t> line_starts_;
  std::vector<std::uint32_t> characters_;  // before each block of kBlock bytes
};

/// Counts what a document costs to hold, aliases included, so that a small text cannot become a large value.
class Meter {
 public:
  explicit Meter(const Limits& limits) : limits_(limits) {}
  /// Throw SyntaxError when a limit is passed.
  void count(std::size_t offset, std::size_t nodes, std::size_t text_bytes);
  void check_depth(std::size_t offset, int depth) const;

 private:
  Limits limits_;
  std::size_t nodes_ = 0;
  std::size_t text_bytes_ = 0;
};

/// Appends a code point as UTF-8.
void append_utf8(std::string& out, std::uint32_t code_point);

/// The four digits after `\u` at `offset` and, for a high surrogate, the `\uXXXX` that must follow; moves `offset` past them.
std::uint32_t read_u_escape(const Source& source, std::size_t& offset, std::size_t digits = 4);

}  // namespace conductorai::core::document
