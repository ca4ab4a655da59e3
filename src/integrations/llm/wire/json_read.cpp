#include "integrations/llm/wire/json_read.hpp"

#include "base/utf8.hpp"
#include "core/json.hpp"

namespace conductorai::integrations::wire {

namespace {

std::string with_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    out += point.valid ? text.substr(0, point.length) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(point.length);
  }
  return out;
}

}  // namespace

const Value* at(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* value = &from;
  for (const std::string_view key : path) {
    value = value->find(key);
    if (value == nullptr || value->is_null()) return nullptr;
  }
  return value;
}

std::string_view text(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* value = at(from, path);
  const std::string* found = value == nullptr ? nullptr : value->as_string();
  return found == nullptr ? std::string_view{} : std::string_view(*found);
}

std::int64_t integer(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* value = at(from, path);
  if (value == nullptr) return 0;
  if (const std::int64_t* whole = value->as_int()) return *whole;
  const double* number = value->as_double();
  return number != nullptr && *number >= 0 && *number < 1e15 ? static_cast<std::int64_t>(*number) : 0;
}

const Array& items(const Value& from, std::initializer_list<std::string_view> path) {
  static const Array none;
  const Value* value = at(from, path);
  const Array* found = value == nullptr ? nullptr : value->as_array();
  return found == nullptr ? none : *found;
}

std::string content_text(const Value& from, std::string_view member, std::string_view part_type) {
  std::string all(text(from, {member}));
  for (const Value& part : items(from, {member}))
    if (text(part, {"type"}) == part_type) all += content_text(part, part_type, "text");
  return all;
}

Value arguments_of(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Object{};
  auto parsed = core::parse_json(text);
  return parsed ? std::move(*parsed) : Value(text);
}

Result<Value> parse(std::string_view text) {
  auto parsed = core::parse_json(text);
  if (parsed) return parsed;
  return core::parse_json(with_valid_utf8(text));
}

}  // namespace conductorai::integrations::wire
