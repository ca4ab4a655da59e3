#pragma once
// What an unquoted scalar means: the core schema of YAML 1.2 (so `yes`, `on` and `0777` are what they look like: texts and a number).

#include <string>
#include <string_view>

#include "core/document/node.hpp"

namespace conductorai::core::document {

/// Sets kind and value of `node` from its text. `.inf` and `.nan`, which no JSON can carry, stay text.
void resolve_plain(Node& node);
/// Reads a JSON-like number whole; false when the text is none.
bool resolve_number(Node& node);
/// Applies a tag ("!", "!!str", …) to a node read with or without quotes. What is wrong, or empty.
std::string apply_tag(Node& node, std::string_view tag, bool quoted);

}  // namespace conductorai::core::document
