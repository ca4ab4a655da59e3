// Flow structure: lists and mappings in brackets.

#include <fmt/format.h>

#include "core/document/words.hpp"
#include "core/document/yaml_parser.hpp"

namespace conductorai::core::document {

using Kind = Node::Kind;

/// Over blanks, comments and lines. A line with content must be indented more than the block it belongs to.
void YamlParser::skip_flow_gap(int parent, std::size_t opened) {
  bool line_began = false;
  while (true) {
    skip_blanks();
    skip_comment();
    if (at_end()) error(opened, fmt::format("the bracket '{}' is never closed", source_.at(opened)));
    if (peek() != '\n') break;
    new_line();
    line_began = true;
    if (at_marker("---") || at_marker("...")) error(pos_, fmt::format("the document ends inside the bracket '{}'", source_.at(opened)));
  }
  if (!line_began) return;
  std::size_t spaces = 0;
  while (source_.at(line_start_ + spaces) == ' ') ++spaces;
  if (static_cast<int>(spaces) <= parent)
    error(pos_, "inside brackets, every line must be indented more than the key they belong to",
          "indent it with spaces, the closing bracket too");
}

Node YamlParser::flow_collection(int parent) {
  return peek() == '[' ? flow_list(parent) : flow_map(parent);
}

Node YamlParser::flow_list(int parent) {
  const Nesting nesting(*this);
  const std::size_t opened = pos_;
  Node list = new_node(Kind::list, opened);
  ++pos_;
  while (true) {
    skip_flow_gap(parent, opened);
    if (peek() == ']') break;
    if (peek() == ',') error(pos_, "an entry is missing before the ','");
    const std::size_t start = pos_;
    const std::size_t line = line_start_;
    const bool collection = peek() == '[' || peek() == '{' || peek() == '*';
    const bool is_quoted = peek() == '"' || peek() == '\'';
    Node item = flow_node(parent);
    const std::size_t end = pos_;
    skip_blanks();
    if (line == line_start_ && peek() == ':' && (at_indicator(':') || is_flow_indicator(peek(1)) || is_quoted || collection)) {
      if (collection) error(start, "a key must be a text", "put it in quotes");
      item = flow_pair(std::move(item), start, parent);
    } else {
      pos_ = end;
    }
    list.items.push_back(std::move(item));
    skip_flow_gap(parent, opened);
    if (peek() == ']') break;
    if (peek() != ',') error(pos_, "expected ',' or ']'", "put texts that hold ': ' or brackets in quotes");
    ++pos_;
  }
  ++pos_;
  return list;
}

/// `[ key: value ]` is a list of one mapping of one key.
Node YamlParser::flow_pair(Node first, std::size_t offset, int parent) {
  const Nesting nesting(*this);
  Node map = new_node(Kind::map, offset);
  ++pos_;
  Node value = flow_value(parent);
  std::set<std::string, std::less<>> keys;
  add_member(map, keys, Key{.text = std::move(first.text), .offset = offset, .plain = false}, std::move(value));
  return map;
}

Node YamlParser::flow_map(int parent) {
  const Nesting nesting(*this);
  const std::size_t opened = pos_;
  Node map = new_node(Kind::map, opened);
  std::set<std::string, std::less<>> keys;
  bool merging = false;
  ++pos_;
  while (true) {
    skip_flow_gap(parent, opened);
    if (peek() == '}') break;
    if (peek() == ',') error(pos_, "an entry is missing before the ','");
    Key key = flow_key(parent);
    merging = merging || (key.plain && key.text == "<<");
    skip_flow_gap(parent, opened);
    Node value;
    if (peek() == ':' && (!key.plain || is_blank_or_end(peek(1)) || is_flow_indicator(peek(1)))) {
      ++pos_;
      value = flow_value(parent);
    } else {
      value = scalar("", key.offset, false);
    }
    add_member(map, keys, std::move(key), std::move(value));
    skip_flow_gap(parent, opened);
    if (peek() == '}') break;
    if (peek() != ',') error(pos_, "expected ',' or '}'", "put texts that hold ': ' or brackets in quotes");
    ++pos_;
  }
  ++pos_;
  if (merging) merge(map, keys);
  return map;
}

YamlParser::Key YamlParser::flow_key(int parent) {
  Properties properties;
  while (peek() == '&' || peek() == '!') {
    property(properties);
    skip_flow_gap(parent, properties.offset);
  }
  Key key{.text = {}, .offset = pos_, .plain = false};
  if (at_indicator('?')) error(pos_, "keys written with '?' are not supported", "write KEY: VALUE");
  if (peek() == '*' || peek() == '[' || peek() == '{') error(pos_, "a key must be a text", "put it in quotes");
  if (peek() == ':' && !can_start_plain(Context::flow)) error(pos_, "a key is missing before the ':'");
  const bool is_quoted = peek() == '"' || peek() == '\'';
  if (is_quoted) {
    key.text = peek() == '"' ? double_quoted(parent) : single_quoted(parent);
  } else {
    if (!can_start_plain(Context::flow)) unexpected();
    key.text = plain_rest(std::string(plain_line(Context::flow)), parent, Context::flow);
    key.plain = true;
  }
  if (properties.any()) {
    Node node = scalar(key.text, key.offset, is_quoted);
    apply(properties, node, is_quoted);
  }
  return key;
}

/// What stands after a ':', which may be nothing.
Node YamlParser::flow_value(int parent) {
  const std::size_t start = pos_ - 1;
  skip_flow_gap(parent, start);
  const char c = peek();
  if (c == ',' || c == '}' || c == ']') return scalar("", start, false);
  return flow_node(parent);
}

Node YamlParser::flow_node(int parent) {
  Properties properties;
  while (peek() == '&' || peek() == '!') {
    property(properties);
    skip_flow_gap(parent, properties.offset);
  }
  const std::size_t start = pos_;
  const char c = peek();
  Node node;
  const bool is_quoted = c == '"' || c == '\'';
  if (c == '[' || c == '{') {
    node = flow_collection(parent);
  } else if (c == '*') {
    if (properties.any()) error(properties.offset, "an alias cannot have an anchor or a tag");
    return alias();
  } else if (is_quoted) {
    std::string text = c == '"' ? double_quoted(parent) : single_quoted(parent);
    node = scalar(std::move(text), start, true);
  } else if (properties.any() && (is_flow_indicator(c) || c == ':')) {
    node = scalar("", properties.offset, false);
  } else if (can_start_plain(Context::flow)) {
    node = scalar(plain_rest(std::string(plain_line(Context::flow)), parent, Context::flow), start, false);
  } else {
    unexpected();
  }
  apply(properties, node, is_quoted);
  return node;
}

}  // namespace conductorai::core::document
