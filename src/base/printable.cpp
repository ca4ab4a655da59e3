#include "base/printable.hpp"

#include "base/utf8.hpp"

namespace conductorai {

namespace {
std::string printable(std::string_view text, std::size_t bytes_max, bool keep_lines) {
  std::string out;
  while (!text.empty()) {
    if (text[0] == '\x1b') {
      text.remove_prefix(escape_sequence_length(text));
      continue;
    }
    const CodePoint point = decode_utf8(text);
    std::string_view piece = text.substr(0, point.length);
    text.remove_prefix(point.length);
    if (!point.valid)
      piece = "\uFFFD";
    else if (point.value == '\n' || point.value == '\t')
      piece = keep_lines ? piece : " ";
    else if (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0) || is_direction_control(point.value))
      continue;
    if (out.size() + piece.size() > bytes_max) return out + "…";
    out += piece;
  }
  return out;
}
}  // namespace

std::string printable_line(std::string_view text, std::size_t bytes_max) {
  return printable(text, bytes_max, false);
}
std::string printable_text(std::string_view text, std::size_t bytes_max) {
  return printable(text, bytes_max, true);
}

}  // namespace conductorai
