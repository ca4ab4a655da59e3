#include "core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <cstring>

#include "core/json_boost.hpp"

namespace conductorai::core {

namespace json = boost::json;

namespace {

using Block = unsigned char __attribute__((vector_size(16)));

/// None of its bytes is one that JSON escapes.
bool plain(Block block) {
  const auto escaped = (block < 0x20) | (block == '"') | (block == '\\');
  std::array<std::uint64_t, 2> halves;
  std::memcpy(&halves, &escaped, sizeof halves);
  return (halves[0] | halves[1]) == 0;
}

/// What `text` begins with, at least, that needs no escape: found by blocks, the last of which may overlap the one before.
std::size_t plain_prefix(std::string_view text) {
  Block block{};
  std::size_t length = 0;
  for (; length + sizeof block <= text.size(); length += sizeof block) {
    std::memcpy(&block, text.data() + length, sizeof block);
    if (!plain(block)) return length;
  }
  const std::size_t half = sizeof block / 2;
  if (text.size() >= sizeof block) {
    std::memcpy(&block, text.data() + text.size() - sizeof block, sizeof block);
  } else if (text.size() >= half) {
    std::memcpy(&block, text.data(), half);
    std::memcpy(reinterpret_cast<char*>(&block) + half, text.data() + text.size() - half, half);
  } else {
    return length;
  }
  return plain(block) ? text.size() : length;
}

/// `width` digits, zeros before the value; it has no more.
void put_digits(char* out, unsigned value, int width) {
  for (; width > 0; value /= 10) out[--width] = static_cast<char>('0' + value % 10);
}

}  // namespace

Result<json::value> parse_boost(std::string_view text, json::storage_ptr storage) {
  json::parse_options options;
  options.max_depth = 64;
  json::stream_parser parser(std::move(storage), options);
  boost::system::error_code error;
  std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (!error) return parser.release();
  const std::size_t at = std::min(used, text.size());
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  const auto start = text.substr(0, at).rfind('\n');
  const auto column = at - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return fail(ErrorCode::invalid_argument, "not valid JSON: " + error.message(), fmt::format("{}:{}", line, column));
}

Value from_boost(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return nullptr;
    case json::kind::bool_: return value.get_bool();
    case json::kind::int64: return value.get_int64();
    case json::kind::uint64: return static_cast<double>(value.get_uint64());
    case json::kind::double_: return value.get_double();
    case json::kind::string: return std::string(value.get_string());
    case json::kind::array: {
      Array array;
      array.reserve(value.get_array().size());
      for (const auto& item : value.get_array()) array.push_back(from_boost(item));
      return array;
    }
    case json::kind::object: {
      Object object;
      for (const auto& [key, item] : value.get_object()) object.insert_or_assign(std::string(key), from_boost(item));
      return object;
    }
  }
  return nullptr;
}

Result<Value> parse_json(std::string_view text) {
  json::monotonic_resource memory;
  auto parsed = parse_boost(text, &memory);
  if (!parsed) return fail(parsed.error());
  return from_boost(*parsed);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t clean = 0;
  for (std::size_t i = plain_prefix(text); i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, clean, i - clean);
    clean = i + 1;
    i += plain_prefix(text.substr(clean));
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += fmt::format("\\u{:04x}", c);
    }
  }
  out.append(text, clean);
  out += '"';
}

void append_json(std::string& out, const Value& value) {
  if (value.is_null()) {
    out += "null";
  } else if (const bool* b = value.as_bool()) {
    out += *b ? "true" : "false";
  } else if (const auto* i = value.as_int()) {
    fmt::format_to(std::back_inserter(out), "{}", *i);
  } else if (const double* d = value.as_double()) {
    if (!std::isfinite(*d))
      out += "null";
    else if (*d == std::floor(*d) && std::abs(*d) < 1e15)
      fmt::format_to(std::back_inserter(out), "{:.1f}", *d);
    else
      fmt::format_to(std::back_inserter(out), "{}", *d);
  } else if (const auto* s = value.as_string()) {
    append_json_string(out, *s);
  } else if (const auto* a = value.as_array()) {
    out += '[';
    for (const auto& item : *a) {
      if (&item != &a->front()) out += ',';
      append_json(out, item);
    }
    out += ']';
  } else {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : *value.as_object()) {
      if (!std::exchange(first, false)) out += ',';
      append_json_string(out, key);
      out += ':';
      append_json(out, item);
    }
    out += '}';
  }
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string to_iso8601(Timestamp at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(seconds - days);
  std::string text = "0000-00-00T00:00:00.000Z";
  const auto put = [&text](std::size_t at, auto value, int width) { put_digits(text.data() + at, static_cast<unsigned>(value), width); };
  put(0, static_cast<int>(date.year()), 4);
  put(5, static_cast<unsigned>(date.month()), 2);
  put(8, static_cast<unsigned>(date.day()), 2);
  put(11, time.hours().count(), 2);
  put(14, time.minutes().count(), 2);
  put(17, time.seconds().count(), 2);
  put(20, (at - seconds).count(), 3);
  return text;
}

Result<Timestamp> parse_iso8601(std::string_view text) {
  constexpr std::string_view kForm = "####-##-##T##:##:##.###Z";
  const auto fits = [](char c, char form) { return form == '#' ? c >= '0' && c <= '9' : c == form; };
  if (!std::ranges::equal(text, kForm, fits))
    return fail(ErrorCode::invalid_argument, "not a time like 2026-01-02T03:04:05.678Z", std::string(text));
  const auto number = [&](std::size_t at, std::size_t width) {
    int value = 0;
    for (const char digit : text.substr(at, width)) value = 10 * value + (digit - '0');
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)), std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok()) return fail(ErrorCode::invalid_argument, "not a date", std::string(text));
  return Timestamp(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(number(11, 2)) +
                   std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2)) + Milliseconds(number(20, 3)));
}

}  // namespace conductorai::core
