#pragma once
// Lenient reading of what services answer: what is missing, null or of another type is simply not there.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "conductorai/result.hpp"
#include "conductorai/value.hpp"

namespace conductorai::integrations::wire {

/// The member at the end of the path; null when any step is missing or null.
const Value* at(const Value& from, std::initializer_list<std::string_view> path);
/// Its text; empty when it has none.
std::string_view text(const Value& from, std::initializer_list<std::string_view> path);
std::int64_t integer(const Value& from, std::initializer_list<std::string_view> path);
/// Its items; none when it is no list.
const Array& items(const Value& from, std::initializer_list<std::string_view> path);

/// Text of a content that is a text, or a list of parts of this type.
std::string content_text(const Value& from, std::string_view member, std::string_view part_type);

/// Arguments of a tool call. Text that is no JSON stays a text, so that whoever validates them can say what came.
Value arguments_of(std::string_view text);

/// JSON of a service; bytes that are no UTF-8 become U+FFFD.
Result<Value> parse(std::string_view text);

}  // namespace conductorai::integrations::wire
