#include "core/document/source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/document/words.hpp"

namespace conductorai::core::document {

namespace {

constexpr std::size_t kBlock = 128;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Length of the valid UTF-8 sequence at `i` (shortest form, no surrogates); 0 when there is none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(i + k < text.size() ? text[i + k] : 0); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const auto tail = [&](std::size_t k) { return (byte(k) & 0xC0) == 0x80; };
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

std::uint32_t read_hex(const Source& source, std::size_t& offset, std::size_t digits) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < digits; ++i, ++offset) {
    const char c = source.at(offset);
    const bool lower = c >= 'a' && c <= 'f';
    const bool upper = c >= 'A' && c <= 'F';
    if (!lower && !upper && (c < '0' || c > '9'))
      throw SyntaxError{offset, fmt::format("expected {} hexadecimal digits after the escape", digits)};
    value = value * 16 + static_cast<std::uint32_t>(lower ? c - 'a' + 10 : upper ? c - 'A' + 10 : c - '0');
  }
  return value;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

Source::Source(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  text_.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool crlf = bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n';
    if (!crlf) text_ += bytes[i] == '\r' ? '\n' : bytes[i];
  }
  index();
  if (const std::size_t bad = find_invalid_utf8(text_); bad != std::string_view::npos)
    throw SyntaxError{bad, fmt::format("the byte 0x{:02X} is not valid UTF-8", static_cast<unsigned char>(text_[bad])),
                      "save the file as UTF-8"};
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const auto c = static_cast<unsigned char>(text_[i]);
    if (c < 0x20 && c != '\t' && c != '\n')
      throw SyntaxError{i, c == 0 ? "a NUL byte cannot stand in a document"
                                  : fmt::format("the control character 0x{:02X} cannot stand in a document", c)};
  }
}

void Source::index() {
  line_starts_.push_back(0);
  std::uint32_t characters = 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (i % kBlock == 0) characters_.push_back(characters);
    if (!is_continuation(text_[i])) ++characters;
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
  characters_.push_back(characters);
}

std::uint32_t Source::characters_before(std::size_t offset) const {
  const std::size_t block = offset / kBlock;
  std::uint32_t count = characters_[std::min(block, characters_.size() - 1)];
  for (std::size_t i = block * kBlock; i < offset && i < text_.size(); ++i)
    if (!is_continuation(text_[i])) ++count;
  return count;
}

Position Source::position(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<int>(next - line_starts_.begin());
  const std::size_t start = *(next - 1);
  return {line, static_cast<int>(characters_before(offset) - characters_before(start)) + 1};
}

void Meter::count(std::size_t offset, std::size_t nodes, std::size_t text_bytes) {
  nodes_ += nodes;
  text_bytes_ += text_bytes;
  if (nodes_ > limits_.nodes)
    throw SyntaxError{offset,
                      fmt::format("the document has more than {} values, aliases counted as often as they are used", limits_.nodes)};
  if (text_bytes_ > limits_.text_bytes)
    throw SyntaxError{offset, fmt::format("the document's texts are longer than {} together, aliases included",
                                          format_size(static_cast<std::int64_t>(limits_.text_bytes)))};
}

void Meter::check_depth(std::size_t offset, int depth) const {
  if (depth > limits_.depth) throw SyntaxError{offset, fmt::format("nested more than {} levels deep", limits_.depth)};
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | (c >> 6));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

std::uint32_t read_u_escape(const Source& source, std::size_t& offset, std::size_t digits) {
  const std::size_t start = offset;
  const std::uint32_t value = read_hex(source, offset, digits);
  if (value == 0) throw SyntaxError{start, "a text cannot hold the character NUL"};
  if (value >= 0xD800 && value <= 0xDBFF) {
    if (source.at(offset) != '\\' || source.at(offset + 1) != 'u')
      throw SyntaxError{start, "half of a surrogate pair: a low surrogate must follow"};
    offset += 2;
    const std::uint32_t low = read_hex(source, offset, 4);
    if (low < 0xDC00 || low > 0xDFFF) throw SyntaxError{start, "half of a surrogate pair: a low surrogate must follow"};
    return 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
  }
  if ((value >= 0xDC00 && value <= 0xDFFF) || value > 0x10FFFF) throw SyntaxError{start, "not the code of a character"};
  return value;
}

}  // namespace conductorai::core::document
