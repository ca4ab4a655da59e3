#pragma once
// JSON text of Values. Structs with a known shape go through core/json_codec.hpp.

#include <string>
#include <string_view>

#include "conductorai/result.hpp"
#include "conductorai/time.hpp"
#include "conductorai/value.hpp"

namespace conductorai::core {

/// Strict RFC 8259, depth at most 64. Errors: invalid_argument, `where` is "line:column".
Result<Value> parse_json(std::string_view text);
/// Compact, keys sorted, UTF-8 kept, control characters escaped; NaN and infinities become null.
std::string to_json(const Value& value);
void append_json(std::string& out, const Value& value);
void append_json_string(std::string& out, std::string_view text);

/// "2026-01-02T03:04:05.678Z"
std::string to_iso8601(Timestamp at);
Result<Timestamp> parse_iso8601(std::string_view text);

}  // namespace conductorai::core
