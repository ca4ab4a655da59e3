#include "report/html.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/utf8.hpp"

namespace conductorai::report {

namespace {

void append_escaped(std::string& out, char32_t value, std::string_view bytes) {
  switch (value) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    case '\'': out += "&#39;"; return;
    default: break;
  }
  if (value == '\n' || value == '\t') {
    out += bytes;
  } else if (is_direction_control(value)) {
    out += fmt::format("⟨U+{:04X}⟩", static_cast<std::uint32_t>(value));
  } else if (value >= 0x20 && value != 0x7F && (value < 0x80 || value >= 0xA0) && value != 0xFFFE && value != 0xFFFF) {
    out += bytes;
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    if (text[0] == '\x1b') {
      text.remove_prefix(escape_sequence_length(text));
      continue;
    }
    const CodePoint point = decode_utf8(text);
    if (point.valid)
      append_escaped(out, point.value, text.substr(0, point.length));
    else
      out += "\uFFFD";
    text.remove_prefix(point.length);
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty() && out.size() < limit) {
    const CodePoint point = decode_utf8(text);
    if (text[0] == '\n' || text[0] == '\t' || text[0] == '\r')
      out += ' ';
    else
      out += text.substr(0, point.length);
    text.remove_prefix(point.length);
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return text.empty() ? out : out + "…";
}

std::string placed(double number) {
  std::string out = fmt::format("{:.2f}", number);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

Html filled(std::string_view form, std::initializer_list<std::string> values) {
  Html out;
  const auto* value = values.begin();
  while (!form.empty()) {
    const std::size_t at = form.find("{}");
    out.text_ += form.substr(0, at);
    if (at == std::string_view::npos) break;
    CONDUCTORAI_ASSERT(value != values.end(), "a value for each {} of the form");
    out.text_ += *value++;
    form.remove_prefix(at + 2);
  }
  CONDUCTORAI_ASSERT(value == values.end(), "a {} in the form for each value");
  return out;
}

}  // namespace conductorai::report
