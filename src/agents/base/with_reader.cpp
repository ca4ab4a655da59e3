#include "agents/base/with_reader.hpp"

#include <algorithm>

#include "core/document/words.hpp"
#include "core/json.hpp"

namespace conductorai::agents {

namespace words = core::document;

void WithReader::wrong(std::string_view key, std::string message, std::string hint) {
  if (!error_)
    error_ = Error{.code = ErrorCode::invalid_argument, .message = std::move(message), .where = path(key), .hint = std::move(hint)};
}

void WithReader::expected(std::string_view key, std::string_view what) {
  wrong(key, "expected " + std::string(what) + ", found " + words::quote(core::to_json(*find(key))));
}

void WithReader::take(Result<void> nested) {
  if (!nested && !error_) error_ = nested.error();
}

void WithReader::allow(const std::vector<std::string>& keys) {
  for (const auto& [key, value] : object_)
    if (std::ranges::find(keys, key) == keys.end()) return wrong("", "unknown key " + words::quote(key), words::suggestion(key, keys));
}

const Value* WithReader::find(std::string_view key) const {
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &found->second;
}

std::string WithReader::text(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return {};
  if (const std::string* text = value->as_string()) return *text;
  expected(key, "a text");
  return {};
}

bool WithReader::flag(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return false;
  if (const bool* flag = value->as_bool()) return *flag;
  expected(key, "true or false");
  return false;
}

std::optional<double> WithReader::number(std::string_view key, double low, double high) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  std::optional<double> number;
  if (const auto* whole = value->as_int()) number = static_cast<double>(*whole);
  if (const auto* real = value->as_double()) number = *real;
  if (number && *number >= low && *number <= high) return number;
  expected(key, "a number from " + core::to_json(Value(low)) + " to " + core::to_json(Value(high)));
  return std::nullopt;
}

std::optional<std::int64_t> WithReader::whole(std::string_view key, std::int64_t low, std::int64_t high) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::int64_t* whole = value->as_int();
  if (whole != nullptr && *whole >= low && *whole <= high) return *whole;
  expected(key, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return std::nullopt;
}

std::optional<Milliseconds> WithReader::duration(std::string_view key, Milliseconds low, Milliseconds high) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::string* text = value->as_string();
  const auto parsed = text != nullptr ? words::parse_duration(*text) : std::nullopt;
  if (parsed && *parsed >= low && *parsed <= high) return parsed;
  expected(key, "a duration from " + words::format_duration(low) + " to " + words::format_duration(high));
  return std::nullopt;
}

std::optional<std::int64_t> WithReader::size(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const std::int64_t* bytes = value->as_int(); bytes != nullptr && *bytes > 0) return *bytes;
  const std::string* text = value->as_string();
  const auto parsed = text != nullptr ? words::parse_size(*text) : std::nullopt;
  if (parsed && *parsed > 0) return parsed;
  expected(key, "a size like 256MiB");
  return std::nullopt;
}

const Object* WithReader::object(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->as_object() == nullptr) expected(key, "a mapping");
  return value->as_object();
}

const Array* WithReader::array(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->as_array() == nullptr) expected(key, "a list");
  return value->as_array();
}

std::vector<std::string> WithReader::texts(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return {};
  if (const std::string* one = value->as_string()) return {*one};
  std::vector<std::string> out;
  if (value->as_array() == nullptr) {
    expected(key, "a list of texts");
    return out;
  }
  for (const Value& item : *value->as_array()) {
    if (item.as_string() == nullptr) {
      expected(key, "a list of texts");
      return {};
    }
    out.push_back(*item.as_string());
  }
  return out;
}

}  // namespace conductorai::agents
