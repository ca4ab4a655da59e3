#pragma once
// YAML 1.2 by recursive descent, one character of look-ahead, no backtracking over more than blank lines. Throws SyntaxError.
// A parser of our own because a lenient one cannot be mended from outside: docs/formats/yaml.md has the measurement and the subset.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/document/source.hpp"

namespace conductorai::core::document {

class YamlParser {
 public:
  YamlParser(const Source& source, const Limits& limits) : source_(source), meter_(limits) {}
  Node parse_stream();

 private:
  /// Where a block node stands: decides which collections may begin on its line.
  enum class Place { root, map_value, list_entry };
  enum class Context { block, flow };
  struct Properties {
    std::string anchor, tag;
    std::size_t offset = 0;
    std::size_t line = 0;  // start of the line they stand on
    [[nodiscard]] bool any() const { return !anchor.empty() || !tag.empty(); }
  };
  struct Key {
    std::string text;
    std::size_t offset = 0;
    bool plain = false;
  };
  struct Anchored {
    Node node;
    std::size_t nodes = 0, text_bytes = 0;
    int height = 0;
  };
  struct Gap {
    bool tab = false;  // on the line of the content
  };
  /// A block text so far.
  struct BlockText {
    bool folded = false;
    char chomp = ' ';
    int indent = -1;  // of its text; -1 until the first line tells
    std::string text = {};
    std::size_t breaks = 0;                      // line breaks seen and not written yet
    bool empty = true;                           // no line with text yet
    bool was_indented = false;                   // the line before began with a blank: folding leaves its breaks alone
    std::size_t blank_indent = 0, blank_at = 0;  // the longest empty line before the first text
  };
  class Nesting;

  // Block structure (yaml_block.cpp).
  void directives();
  void end_of_stream();
  Node block_node(int parent, Place place);
  Node block_content(int parent, Place place, const Properties& properties, bool tab_before);
  Node block_list(int column);
  Node block_map(int column, std::optional<Key> first);
  Node scalar_or_map(int parent, bool may_be_map, const Properties& properties);
  Key implicit_key();
  bool belongs(int parent, Place place) const;
  void end_of_line();

  // Flow structure (yaml_flow.cpp).
  Node flow_collection(int parent);
  Node flow_list(int parent);
  Node flow_map(int parent);
  Node flow_node(int parent);
  Node flow_pair(Node first, std::size_t offset, int parent);
  Node flow_value(int parent);
  Key flow_key(int parent);
  void skip_flow_gap(int parent, std::size_t opened);

  // Scalars (yaml_scalar.cpp).
  bool can_start_plain(Context context) const;
  std::string_view plain_line(Context context);
  std::string plain_rest(std::string first, int parent, Context context);
  std::string double_quoted(int parent);
  std::string single_quoted(int parent);
  void escape(std::string& out, int parent);
  void fold_quoted(std::string& out, std::size_t keep, int parent, std::size_t opened);
  Node block_scalar(int parent);
  bool block_line(BlockText& block, int parent);

  // Properties, anchors, members (yaml_parser.cpp).
  void property(Properties& properties);
  Node alias();
  void remember(const std::string& anchor, const Node& node, std::size_t offset);
  void apply(const Properties& properties, Node& node, bool quoted);
  void add_member(Node& map, std::set<std::string, std::less<>>& keys, Key key, Node value);
  void merge(Node& map, std::set<std::string, std::less<>>& keys);
  Node new_node(Node::Kind kind, std::size_t offset);
  Node scalar(std::string text, std::size_t offset, bool quoted);

  // The cursor (yaml_parser.cpp).
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return source_.at(pos_ + ahead); }
  [[nodiscard]] bool at_end() const { return pos_ >= source_.text().size(); }
  [[nodiscard]] int column() const { return static_cast<int>(pos_ - line_start_); }
  [[nodiscard]] bool fresh() const;  // nothing but spaces before, on this line
  [[nodiscard]] bool at_marker(std::string_view marker) const;
  [[nodiscard]] bool at_stop() const { return at_end() || at_marker("---") || at_marker("..."); }
  [[nodiscard]] bool at_indicator(char indicator) const;  // followed by a space, a tab or the end of the line
  void new_line();
  void skip_blanks();  // spaces and tabs
  bool skip_comment();
  Gap skip_gap();  // to the next content, over comments and lines
  [[noreturn]] void error(std::size_t offset, std::string message, std::string hint = {}) const;
  [[noreturn]] void unexpected() const;

  const Source& source_;
  Meter meter_;
  std::size_t pos_ = 0;
  std::size_t line_start_ = 0;
  int depth_ = 0;
  std::map<std::string, Anchored, std::less<>> anchors_;
};

/// One level deeper, for as long as it lives.
class YamlParser::Nesting {
 public:
  explicit Nesting(YamlParser& parser) : parser_(parser) { parser_.meter_.check_depth(parser_.pos_, ++parser_.depth_); }
  ~Nesting() { --parser_.depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  YamlParser& parser_;
};

inline bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
inline bool is_blank_or_end(char c) {
  return is_blank(c) || c == '\n' || c == '\0';
}
inline bool is_flow_indicator(char c) {
  return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
}

Node parse_json_document(const Source& source, const Limits& limits);

}  // namespace conductorai::core::document
