#pragma once
// A parsed YAML or JSON document: values that remember where they stood.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/value.hpp"

namespace conductorai::core::document {

/// 1-based; columns count characters, not bytes.
struct Position {
  int line = 1;
  int column = 1;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Member;

struct Node {
  enum class Kind { null, boolean, integer, number, text, list, map };

  Kind kind = Kind::null;
  Position at;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;            // set for integers too
  std::string text;             // of every scalar: the text as written, quotes and escapes resolved
  std::vector<Node> items;      // of a list
  std::vector<Member> members;  // of a map, in file order; keys are unique

  [[nodiscard]] bool is(Kind other) const { return kind == other; }
  [[nodiscard]] bool is_number() const { return kind == Kind::integer || kind == Kind::number; }
  /// The value of `key`; null when this is no map or has no such key.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Position key_at;
  Node value;
};

/// For messages: "the text 'five'", "the number 5", "a list", "a mapping", "nothing".
std::string describe(const Node& node);
Value to_value(const Node& node);

}  // namespace conductorai::core::document
