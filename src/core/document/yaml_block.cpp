// Streams and block structure: what indentation says.

#include <fmt/format.h>

#include "core/document/words.hpp"
#include "core/document/yaml_parser.hpp"

namespace conductorai::core::document {

using Kind = Node::Kind;

Node YamlParser::parse_stream() {
  directives();
  if (at_marker("---")) pos_ += 3;
  Node root = block_node(-1, Place::root);
  end_of_stream();
  return root;
}

/// `%YAML 1.x`, at most once. `%TAG` and others are refused: tags are the core ones.
void YamlParser::directives() {
  bool seen = false;
  for (skip_gap(); peek() == '%' && column() == 0; skip_gap()) {
    const std::size_t start = pos_;
    while (!at_end() && peek() != '\n' && !(peek() == '#' && is_blank(source_.at(pos_ - 1)))) ++pos_;
    std::string_view line = source_.text().substr(start, pos_ - start);
    line = line.substr(0, line.find_last_not_of(" \t") + 1);
    const std::size_t version = line.find_first_not_of(" \t", 5);
    if (!line.starts_with("%YAML") || version == std::string_view::npos || version == 5)
      error(start, fmt::format("unsupported directive {}", quote(line)), "the only directive read is %YAML 1.2");
    if (seen) error(start, "a second %YAML directive");
    if (line.substr(version) != "1.2" && line.substr(version) != "1.1") error(start + version, "expected the version 1.2");
    seen = true;
  }
  if (seen && !at_marker("---")) error(pos_, "expected '---' after the directive");
}

void YamlParser::end_of_stream() {
  skip_gap();
  while (at_marker("...")) {
    pos_ += 3;
    end_of_line();
    skip_gap();
  }
  if (at_end()) return;
  if (at_marker("---")) error(pos_, "a second document begins here", "one file holds one document");
  if (peek() == '%' && column() == 0) error(pos_, "a directive after the document", "one file holds one document");
  if (at_indicator('-')) error(pos_, "a list entry stands where no list is open", "check the indentation");
  if (!fresh()) unexpected();
  error(pos_, "this line belongs to nothing before it", "check its indentation, and put texts that hold ': ' or ' #' in quotes");
}

void YamlParser::end_of_line() {
  skip_blanks();
  skip_comment();
  if (!at_end() && peek() != '\n') unexpected();
}

/// Whether the content found is the value of what stands at the indentation `parent`.
bool YamlParser::belongs(int parent, Place place) const {
  if (at_stop()) return false;
  if (!fresh() || column() > parent) return true;
  return place == Place::map_value && column() == parent && at_indicator('-');
}

Node YamlParser::block_node(int parent, Place place) {
  const Nesting nesting(*this);
  const std::size_t start = pos_;
  Gap gap = skip_gap();
  Properties properties;
  while (belongs(parent, place) && (peek() == '&' || peek() == '!')) {
    // Properties on a line of their own belong to what follows; on the line of a key, to the key.
    if (properties.any() && properties.line != line_start_) {
      Node map = block_map(column(), std::nullopt);
      apply(properties, map, false);
      return map;
    }
    if (!fresh() && !properties.any() && gap.tab) place = Place::map_value;
    property(properties);
    gap = skip_gap();
  }
  if (belongs(parent, place)) return block_content(parent, place, properties, gap.tab);
  Node nothing = scalar("", properties.any() ? properties.offset : start, false);
  apply(properties, nothing, false);
  return nothing;
}

Node YamlParser::block_content(int parent, Place place, const Properties& properties, bool tab_before) {
  const bool on_line_of_properties = properties.any() && properties.line == line_start_;
  const bool compact = place == Place::list_entry && !tab_before;
  const char c = peek();
  if (at_indicator('-')) {
    if (on_line_of_properties || (!fresh() && !compact)) error(pos_, "a list cannot begin on this line", "begin it on the next line");
    Node list = block_list(column());
    apply(properties, list, false);
    return list;
  }
  if (at_indicator('?')) error(pos_, "keys written with '?' are not supported", "write KEY: VALUE");
  if (c == '|' || c == '>') {
    Node node = block_scalar(parent);
    apply(properties, node, true);
    return node;
  }
  const std::size_t line = line_start_;
  const std::size_t begin = on_line_of_properties ? properties.offset : pos_;
  const bool first_on_line = source_.text().substr(line, begin - line).find_first_not_of(' ') == std::string_view::npos;
  return scalar_or_map(parent, first_on_line || compact, properties);
}

/// A scalar, alias or flow collection; or, where a ':' follows on its line, the first key of a mapping.
Node YamlParser::scalar_or_map(int parent, bool may_be_map, const Properties& properties) {
  const std::size_t start = pos_;
  const std::size_t line = line_start_;
  const char c = peek();
  const bool is_quoted = c == '"' || c == '\'';
  const bool plain = !is_quoted && c != '[' && c != '{' && c != '*';
  std::string text;
  Node node;
  if (is_quoted)
    text = c == '"' ? double_quoted(parent) : single_quoted(parent);
  else if (c == '*')
    node = alias();
  else if (!plain)
    node = flow_collection(parent);
  else if (can_start_plain(Context::block))
    text = plain_line(Context::block);
  else
    unexpected();

  const std::size_t end = pos_;
  skip_blanks();
  if (at_indicator(':')) {
    if (c == '*' || c == '[' || c == '{') error(start, "a key must be a text", "put it in quotes");
    if (line != line_start_) error(start, "a key must stand on one line");
    if (!may_be_map)
      error(pos_, "a mapping cannot begin on this line", "begin it on the next line, or put a text that holds ': ' in quotes");
    const bool own = properties.any() && properties.line == line;
    if (own) {
      Node key_node = scalar(text, start, is_quoted);
      apply(properties, key_node, is_quoted);
    }
    const std::size_t column_offset = own ? properties.offset : start;
    Node map = block_map(static_cast<int>(column_offset - line), Key{std::move(text), start, plain});
    if (!own) apply(properties, map, false);
    return map;
  }
  pos_ = end;
  if (c == '*' && properties.any()) error(properties.offset, "an alias cannot have an anchor or a tag");
  if (is_quoted || plain) node = scalar(plain ? plain_rest(std::move(text), parent, Context::block) : std::move(text), start, is_quoted);
  end_of_line();
  apply(properties, node, is_quoted);
  return node;
}

Node YamlParser::block_list(int column_of_list) {
  Node list = new_node(Kind::list, pos_);
  while (true) {
    ++pos_;
    list.items.push_back(block_node(column_of_list, Place::list_entry));
    skip_gap();
    if (at_stop() || column() < column_of_list) return list;
    if (column() > column_of_list) error(pos_, "this line is indented more than the list it would belong to");
    if (!at_indicator('-')) return list;  // a key beside an unindented list; anything else is refused by the caller
  }
}

Node YamlParser::block_map(int column_of_map, std::optional<Key> first) {
  Node map = new_node(Kind::map, line_start_ + static_cast<std::size_t>(column_of_map));
  std::set<std::string, std::less<>> keys;
  std::size_t merge_at = std::string_view::npos;
  while (true) {
    Key key = first ? std::move(*first) : implicit_key();
    first.reset();
    if (key.plain && key.text == "<<") merge_at = key.offset;
    ++pos_;  // the ':'
    Node value = block_node(column_of_map, Place::map_value);
    add_member(map, keys, std::move(key), std::move(value));
    skip_gap();
    if (at_stop() || column() < column_of_map) break;
    if (column() > column_of_map) error(pos_, "this line is indented more than the key it would stand beside");
  }
  if (merge_at != std::string_view::npos) merge(map, keys);
  return map;
}

/// A key and the blanks before its ':', all on one line.
YamlParser::Key YamlParser::implicit_key() {
  const std::size_t line = line_start_;
  Properties properties;
  while (peek() == '&' || peek() == '!') {
    property(properties);
    skip_blanks();
  }
  Key key{.text = {}, .offset = pos_, .plain = false};
  if (at_indicator('-')) error(pos_, "a list entry stands among the keys of a mapping", "check the indentation");
  if (at_indicator('?')) error(pos_, "keys written with '?' are not supported", "write KEY: VALUE");
  const bool is_quoted = peek() == '"' || peek() == '\'';
  if (peek() == '*' || peek() == '[' || peek() == '{') error(pos_, "a key must be a text", "put it in quotes");
  if (is_quoted) {
    key.text = peek() == '"' ? double_quoted(column()) : single_quoted(column());
  } else {
    if (!can_start_plain(Context::block)) unexpected();
    key.text = plain_line(Context::block);
    key.plain = true;
  }
  if (line != line_start_) error(key.offset, "a key must stand on one line");
  skip_blanks();
  if (!at_indicator(':'))
    error(pos_, fmt::format("expected ': ' after the key {}", quote(key.text)), peek() == ':' ? "put a space after the ':'" : "");
  if (properties.any()) {
    Node node = scalar(key.text, key.offset, is_quoted);
    apply(properties, node, is_quoted);
  }
  return key;
}

}  // namespace conductorai::core::document
