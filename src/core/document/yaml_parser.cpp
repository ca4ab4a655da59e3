#include "core/document/yaml_parser.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/document/resolve.hpp"
#include "core/document/words.hpp"

namespace conductorai::core::document {

namespace {

struct Measure {
  std::size_t nodes = 1, text_bytes = 0;
  int height = 1;
};

Measure measure(const Node& node) {
  Measure total{1, node.text.size(), 1};
  const auto add = [&total](const Node& child) {
    const Measure part = measure(child);
    total.nodes += part.nodes;
    total.text_bytes += part.text_bytes;
    total.height = std::max(total.height, part.height + 1);
  };
  for (const Node& item : node.items) add(item);
  for (const Member& member : node.members) {
    total.text_bytes += member.key.size();
    add(member.value);
  }
  return total;
}

bool ends_property(char c) {
  return is_blank_or_end(c) || is_flow_indicator(c);
}

}  // namespace

void YamlParser::error(std::size_t offset, std::string message, std::string hint) const {
  throw SyntaxError{offset, std::move(message), std::move(hint)};
}

void YamlParser::unexpected() const {
  if (at_end()) error(pos_, "the text ends too early");
  const char c = peek();
  if (c == '\t') error(pos_, "a tab cannot indent", "use spaces");
  if (c == '#') error(pos_, "a comment must have a space before its '#'");
  if (c == '@' || c == '`') error(pos_, fmt::format("a text cannot begin with '{}'", c), "put it in quotes");
  if (c == '%') error(pos_, "a text cannot begin with '%'; a directive stands before '---'", "put it in quotes");
  if (c == ':') error(pos_, "a mapping value is not allowed here", "put a text that holds ': ' in quotes");
  std::size_t length = 1;
  while ((static_cast<unsigned char>(peek(length)) & 0xC0) == 0x80) ++length;
  error(pos_, fmt::format("unexpected {}", quote(source_.text().substr(pos_, length))));
}

bool YamlParser::fresh() const {
  const std::string_view before = source_.text().substr(line_start_, pos_ - line_start_);
  return before.find_first_not_of(' ') == std::string_view::npos;
}

bool YamlParser::at_marker(std::string_view marker) const {
  return pos_ == line_start_ && source_.text().substr(std::min(pos_, source_.text().size())).starts_with(marker) &&
         is_blank_or_end(peek(3));
}

bool YamlParser::at_indicator(char indicator) const {
  return peek() == indicator && is_blank_or_end(peek(1));
}

void YamlParser::new_line() {
  line_start_ = ++pos_;
}

void YamlParser::skip_blanks() {
  while (is_blank(peek())) ++pos_;
}

bool YamlParser::skip_comment() {
  if (peek() != '#') return false;
  if (pos_ != line_start_ && !is_blank(source_.at(pos_ - 1))) unexpected();
  while (!at_end() && peek() != '\n') ++pos_;
  return true;
}

YamlParser::Gap YamlParser::skip_gap() {
  Gap gap;
  while (true) {
    const std::size_t start = pos_;
    skip_blanks();
    gap.tab = source_.text().substr(start, pos_ - start).find('\t') != std::string_view::npos;
    skip_comment();
    if (at_end()) return gap;
    if (peek() != '\n') break;
    new_line();
  }
  // What YAML means by a tab here depends on what surrounds it; nobody should have to know.
  const std::string_view before = source_.text().substr(line_start_, pos_ - line_start_);
  if (const auto tab = before.find_first_not_of(' '); tab != std::string_view::npos && before[tab] == '\t') {
    if (before.find_first_not_of(" \t") == std::string_view::npos) error(line_start_ + tab, "a tab cannot indent", "use spaces");
  }
  return gap;
}

void YamlParser::property(Properties& properties) {
  const std::size_t start = pos_;
  if (!properties.any()) properties.offset = start;
  properties.line = line_start_;
  std::string& slot = peek() == '&' ? properties.anchor : properties.tag;
  if (!slot.empty()) error(start, peek() == '&' ? "a value cannot have two anchors" : "a value cannot have two tags");
  ++pos_;
  while (!ends_property(peek())) ++pos_;
  slot = source_.text().substr(start, pos_ - start);
  if (slot == "&") error(start, "an anchor needs a name");
  if (!is_blank_or_end(peek()) && !is_flow_indicator(peek())) unexpected();
}

Node YamlParser::alias() {
  const std::size_t start = pos_++;
  while (!ends_property(peek())) ++pos_;
  const std::string_view name = source_.text().substr(start + 1, pos_ - start - 1);
  if (name.empty()) error(start, "an alias needs a name", "put a text that begins with '*' in quotes");
  const auto known = anchors_.find(name);
  if (known == anchors_.end())
    error(start, fmt::format("unknown alias {}", quote(name)),
          "an anchor must stand before its alias; put a text that begins with '*' in quotes");
  const Anchored& anchored = known->second;
  meter_.count(start, anchored.nodes, anchored.text_bytes);
  meter_.check_depth(start, depth_ + anchored.height);
  return anchored.node;
}

void YamlParser::remember(const std::string& anchor, const Node& node, std::size_t offset) {
  const Measure size = measure(node);
  meter_.count(offset, size.nodes, size.text_bytes);  // the copy kept for aliases
  anchors_[anchor.substr(1)] = Anchored{node, size.nodes, size.text_bytes, size.height};
}

void YamlParser::apply(const Properties& properties, Node& node, bool was_quoted) {
  if (!properties.tag.empty()) {
    const std::string wrong = apply_tag(node, properties.tag, was_quoted);
    if (!wrong.empty()) error(properties.offset, wrong, "tags are !!str, !!int, !!float, !!bool, !!null, !!seq and !!map");
  }
  if (!properties.anchor.empty()) remember(properties.anchor, node, properties.offset);
}

void YamlParser::add_member(Node& map, std::set<std::string, std::less<>>& keys, Key key, Node value) {
  if (!keys.insert(key.text).second) {
    const auto first = std::find_if(map.members.begin(), map.members.end(), [&](const Member& member) { return member.key == key.text; });
    error(key.offset, fmt::format("the key {} stands here a second time; the first is on line {}", quote(key.text), first->key_at.line));
  }
  meter_.count(key.offset, 0, key.text.size());
  map.members.push_back({std::move(key.text), source_.position(key.offset), std::move(value)});
}

/// `<<: *base` adds the keys of a mapping, or of each of a list of mappings, that are not there already.
void YamlParser::merge(Node& map, std::set<std::string, std::less<>>& keys) {
  const auto found = std::find_if(map.members.begin(), map.members.end(), [](const Member& member) { return member.key == "<<"; });
  if (found == map.members.end()) return;
  const Node merged = std::move(found->value);
  map.members.erase(found);
  const auto take = [&](const Node& from) {
    for (const Member& member : from.members)
      if (keys.insert(member.key).second) map.members.push_back(member);
  };
  if (merged.is(Node::Kind::list)) {
    for (const Node& item : merged.items) take(item);
  } else {
    take(merged);
  }
}

Node YamlParser::new_node(Node::Kind kind, std::size_t offset) {
  meter_.count(offset, 1, 0);
  Node node;
  node.kind = kind;
  node.at = source_.position(offset);
  return node;
}

Node YamlParser::scalar(std::string text, std::size_t offset, bool was_quoted) {
  Node node = new_node(Node::Kind::text, offset);
  meter_.count(offset, 0, text.size());
  node.text = std::move(text);
  if (!was_quoted) resolve_plain(node);
  return node;
}

}  // namespace conductorai::core::document
