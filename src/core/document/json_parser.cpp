// RFC 8259 to the letter, without duplicate keys.

#include <fmt/format.h>

#include <set>

#include "core/document/resolve.hpp"
#include "core/document/words.hpp"
#include "core/document/yaml_parser.hpp"

namespace conductorai::core::document {

namespace {

class JsonParser {
 public:
  JsonParser(const Source& source, const Limits& limits) : source_(source), meter_(limits) {}

  Node document() {
    skip();
    if (end()) error("the file is empty");
    Node root = value(1);
    skip();
    if (!end()) error("expected nothing more after the value");
    return root;
  }

 private:
  [[nodiscard]] char peek() const { return source_.at(pos_); }
  [[nodiscard]] bool end() const { return pos_ >= source_.text().size(); }
  [[noreturn]] void error(std::string message, std::string hint = {}) const {
    throw SyntaxError{pos_, std::move(message), std::move(hint)};
  }
  void skip() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n') ++pos_;
  }
  Node start(Node::Kind kind) {
    meter_.count(pos_, 1, 0);
    Node node;
    node.kind = kind;
    node.at = source_.position(pos_);
    return node;
  }

  Node value(int depth) {
    meter_.check_depth(pos_, depth);
    switch (peek()) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': {
        Node node = start(Node::Kind::text);
        node.text = string();
        return node;
      }
      default: return word();
    }
  }

  Node object(int depth) {
    Node map = start(Node::Kind::map);
    std::set<std::string, std::less<>> keys;
    ++pos_;
    skip();
    if (peek() == '}') return ++pos_, map;
    while (true) {
      if (peek() != '"') error("expected a key in double quotes");
      const std::size_t key_at = pos_;
      std::string key = string();
      if (!keys.insert(key).second) throw SyntaxError{key_at, fmt::format("the key {} stands here a second time", quote(key))};
      skip();
      if (peek() != ':') error("expected ':' after the key");
      ++pos_;
      skip();
      Node child = value(depth + 1);
      map.members.push_back({std::move(key), source_.position(key_at), std::move(child)});
      skip();
      if (peek() == '}') return ++pos_, map;
      if (peek() != ',') error("expected ',' or '}'");
      ++pos_;
      skip();
    }
  }

  Node array(int depth) {
    Node list = start(Node::Kind::list);
    ++pos_;
    skip();
    if (peek() == ']') return ++pos_, list;
    while (true) {
      list.items.push_back(value(depth + 1));
      skip();
      if (peek() == ']') return ++pos_, list;
      if (peek() != ',') error("expected ',' or ']'");
      ++pos_;
      skip();
    }
  }

  std::string string() {
    const std::size_t opened = pos_++;
    std::string out;
    while (peek() != '"') {
      if (end() || peek() == '\n') throw SyntaxError{opened, "the text is not closed on its line"};
      if (peek() == '\t') error("a tab inside a text must be written \\t");
      if (peek() == '\\')
        escape(out);
      else
        out += source_.at(pos_++);
    }
    ++pos_;
    meter_.count(opened, 0, out.size());
    return out;
  }

  void escape(std::string& out) {
    const char c = source_.at(++pos_);
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (c == 'u') {
      ++pos_;
      append_utf8(out, read_u_escape(source_, pos_));
      return;
    }
    const std::size_t index = c == '\0' ? std::string_view::npos : kNames.find(c);
    if (index == std::string_view::npos) error("unknown escape in a text");
    out += kMeanings[index];
    ++pos_;
  }

  /// null, true, false or a number.
  Node word() {
    Node node = start(Node::Kind::null);
    const std::size_t begin = pos_;
    const auto part = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    };
    while (part(peek())) ++pos_;
    node.text = source_.text().substr(begin, pos_ - begin);
    meter_.count(begin, 0, node.text.size());
    if (node.text == "null" || node.text == "true" || node.text == "false") {
      resolve_plain(node);
    } else if (!is_json_number(node.text) || !resolve_number(node)) {
      pos_ = begin;
      if (end()) error("the text ends too early");
      error("expected a JSON value, found " + quote(node.text.empty() ? std::string(1, peek()) : node.text));
    }
    return node;
  }

  static bool is_json_number(std::string_view text) {
    const auto digits = [&text] {
      std::size_t count = 0;
      while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
      text.remove_prefix(count);
      return count;
    };
    if (text.starts_with('-')) text.remove_prefix(1);
    const bool zero = text.starts_with('0');
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      if (digits() == 0) return false;
    }
    if (text.starts_with('e') || text.starts_with('E')) {
      text.remove_prefix(1);
      if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
      if (digits() == 0) return false;
    }
    return text.empty();
  }

  const Source& source_;
  Meter meter_;
  std::size_t pos_ = 0;
};

}  // namespace

Node parse_json_document(const Source& source, const Limits& limits) {
  return JsonParser(source, limits).document();
}

}  // namespace conductorai::core::document
