#pragma once
// Text that others wrote, code point by code point: what every place that shows it has to know to be safe.

#include <cstddef>
#include <string_view>

namespace conductorai {

struct CodePoint {
  char32_t value = 0xFFFD;
  std::size_t length = 1;  // bytes it takes; 1 for a byte that is none
  bool valid = false;
};

/// The first code point of a text that is not empty, by RFC 3629: no overlong forms, no surrogates.
CodePoint decode_utf8(std::string_view text);

/// All of it: what is not cannot stand in JSON.
bool is_utf8(std::string_view text);

/// Bytes that an escape sequence starting at text[0] == ESC takes, by ECMA-48: CSI to its final byte, strings to ST or BEL.
std::size_t escape_sequence_length(std::string_view text);

/// Embeddings, overrides, isolates and marks that make text read in another order than it is written.
bool is_direction_control(char32_t c);

}  // namespace conductorai
