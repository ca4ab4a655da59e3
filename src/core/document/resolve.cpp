#include "core/document/resolve.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/document/words.hpp"

namespace conductorai::core::document {

namespace {

using Kind = Node::Kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool all(std::string_view text, bool (*test)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), test);
}

bool one_of(std::string_view text, std::string_view a, std::string_view b, std::string_view c) {
  return text == a || text == b || text == c;
}

/// [-+]? ( [0-9]+ ( . [0-9]* )? | . [0-9]+ ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
  const auto digits = [&text] {
    std::size_t count = 0;
    while (count < text.size() && is_digit(text[count])) ++count;
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  std::size_t mantissa = digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    mantissa += digits();
  }
  if (mantissa == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

bool set_integer(Node& node, std::string_view digits, int base) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), node.integer, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return false;
  node.kind = Kind::integer;
  node.number = static_cast<double>(node.integer);
  return true;
}

/// Past the range of double this gives 0 or infinity, which no reader of a range accepts.
void set_number(Node& node, std::string_view digits) {
  node.kind = Kind::number;
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::result_out_of_range) value = std::strtod(std::string(digits).c_str(), nullptr);
  node.number = value;
}

}  // namespace

bool resolve_number(Node& node) {
  std::string_view digits = node.text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const std::string_view unsigned_digits = digits.starts_with('-') ? digits.substr(1) : digits;
  if (all(unsigned_digits, is_digit)) {
    if (!set_integer(node, digits, 10)) set_number(node, digits);
    return true;
  }
  if (digits.starts_with("0x") && digits.size() > 2) return set_integer(node, digits.substr(2), 16) && node.text.front() == '0';
  if (digits.starts_with("0o") && digits.size() > 2) return set_integer(node, digits.substr(2), 8) && node.text.front() == '0';
  if (!is_float(node.text)) return false;
  set_number(node, digits);
  return true;
}

void resolve_plain(Node& node) {
  const std::string_view text = node.text;
  node.kind = Kind::text;
  if (text.empty() || text == "~" || one_of(text, "null", "Null", "NULL")) {
    node.kind = Kind::null;
  } else if (one_of(text, "true", "True", "TRUE") || one_of(text, "false", "False", "FALSE")) {
    node.kind = Kind::boolean;
    node.boolean = text.size() == 4;
  } else if (!resolve_number(node)) {
    node.kind = Kind::text;
  }
}

std::string apply_tag(Node& node, std::string_view tag, bool was_quoted) {
  struct Core {
    std::string_view name;
    Kind kind;
  };
  static constexpr std::array kCore{Core{"!!str", Kind::text},     Core{"!!int", Kind::integer}, Core{"!!float", Kind::number},
                                    Core{"!!bool", Kind::boolean}, Core{"!!null", Kind::null},   Core{"!!seq", Kind::list},
                                    Core{"!!map", Kind::map}};
  const bool collection = node.is(Kind::list) || node.is(Kind::map);
  if (tag == "!") {
    if (!collection) node.kind = Kind::text;
    return {};
  }
  const auto* core = std::find_if(kCore.begin(), kCore.end(), [tag](const Core& known) { return known.name == tag; });
  if (core == kCore.end()) return "unknown tag " + quote(tag);
  if (core->kind == Kind::text && !collection) {
    node.kind = Kind::text;
    return {};
  }
  if (was_quoted) resolve_plain(node);
  const bool fits = node.kind == core->kind || (core->kind == Kind::number && node.is(Kind::integer));
  if (!fits) return "the tag " + quote(tag) + " does not fit " + describe(node);
  if (core->kind == Kind::number) node.kind = Kind::number;
  return {};
}

}  // namespace conductorai::core::document
