#include "infrastructure/probe/expectations.hpp"

#include <charconv>
#include <cmath>

#include "base/lower.hpp"
#include "base/pattern.hpp"
#include "base/printable.hpp"
#include "core/json.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kExcerptBytes = 200;
constexpr std::size_t kSearchedBytes = std::size_t{256} << 10;  // of a body, by a regular expression

std::string excerpt(const HttpResponse& answer) {
  if (answer.body.empty()) return "; the body is empty";
  return "; the body begins \"" + printable_line(answer.body, kExcerptBytes) + "\"";
}

std::string broken_header(const Probe& probe, const HttpResponse& answer) {
  for (const auto& [name, pattern] : probe.expect_headers) {
    const std::string* value = find_header(answer.headers, lower(name));
    if (value == nullptr) return "expected a header " + name + ", there was none";
    auto found = pattern_found(pattern, *value);
    if (!found) return found.error().message;
    if (!*found) {
      std::string broken = "expected the header " + name;
      broken.append(" to match /").append(pattern).append("/, got \"").append(printable_line(*value, kExcerptBytes)).append("\"");
      return broken;
    }
  }
  return {};
}

std::string broken_body(const Probe& probe, const HttpResponse& answer) {
  if (probe.expect_body.empty()) return {};
  auto found = pattern_found(probe.expect_body, std::string_view(answer.body).substr(0, kSearchedBytes));
  if (!found) return found.error().message;
  return *found ? "" : "expected the body to match /" + probe.expect_body + "/" + excerpt(answer);
}

bool same(const Value& expected, const Value& got) {
  const auto number = [](const Value& value) -> std::optional<double> {
    if (const auto* whole = value.as_int()) return static_cast<double>(*whole);
    if (const auto* real = value.as_double()) return *real;
    return std::nullopt;
  };
  const auto left = number(expected);
  const auto right = number(got);
  return left && right ? *left == *right : expected == got;
}

std::string broken_json(const Probe& probe, const HttpResponse& answer) {
  if (probe.expect_json.empty()) return {};
  auto document = core::parse_json(answer.body);
  if (!document) return "expected JSON, got what is none (" + document.error().message + ")" + excerpt(answer);
  for (const auto& [path, expected] : probe.expect_json) {
    const Value* got = value_at(*document, path);
    if (got == nullptr)
      return "expected " + core::to_json(expected) + " at " + path + " of the JSON answer, there is nothing" + excerpt(answer);
    if (!same(expected, *got))
      return "expected " + core::to_json(expected) + " at " + path + " of the JSON answer, got " +
             printable_line(core::to_json(*got), kExcerptBytes);
  }
  return {};
}

std::string unescaped(std::string_view pointer_part) {
  std::string out;
  for (std::size_t i = 0; i < pointer_part.size(); ++i) {
    const bool escape = pointer_part[i] == '~' && i + 1 < pointer_part.size() && (pointer_part[i + 1] == '0' || pointer_part[i + 1] == '1');
    out += escape ? (pointer_part[++i] == '0' ? '~' : '/') : pointer_part[i];
  }
  return out;
}

const Value* step_into(const Value& value, const std::string& key) {
  if (const Array* array = value.as_array()) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    const bool usable = error == std::errc{} && end == key.data() + key.size() && index < array->size();
    return usable ? &(*array)[index] : nullptr;
  }
  return value.find(key);
}

std::string milliseconds(double ms) {
  return std::to_string(std::llround(ms)) + " ms";
}

}  // namespace

const Value* value_at(const Value& document, std::string_view path) {
  const bool pointer = path.starts_with('/');
  const char separator = pointer ? '/' : '.';
  if (pointer) path.remove_prefix(1);
  const Value* at = &document;
  if (path.empty() && !pointer) return at;
  while (at != nullptr) {
    const auto end = path.find(separator);
    const std::string_view part = path.substr(0, end);
    at = step_into(*at, pointer ? unescaped(part) : std::string(part));
    if (end == std::string_view::npos) return at;
    path.remove_prefix(end + 1);
  }
  return nullptr;
}

Result<void> check_expectations(const Probe& probe) {
  if (!probe.expect_body.empty())
    if (auto checked = check_pattern(probe.expect_body); !checked)
      return fail(ErrorCode::invalid_argument, checked.error().message, probe.name);
  for (const auto& [name, pattern] : probe.expect_headers)
    if (auto checked = check_pattern(pattern); !checked)
      return fail(ErrorCode::invalid_argument, checked.error().message, probe.name + ", header " + name);
  return {};
}

std::string broken_expectation(const Probe& probe, const HttpResponse& answer, double ms) {
  if (probe.status && *probe.status != answer.status)
    return "expected status " + std::to_string(*probe.status) + ", got " + std::to_string(answer.status) + excerpt(answer);
  for (auto check : {broken_header, broken_body, broken_json})
    if (auto broken = check(probe, answer); !broken.empty()) return broken;
  if (probe.max_ms && ms > static_cast<double>(*probe.max_ms))
    return "expected an answer within " + std::to_string(*probe.max_ms) + " ms, it took " + milliseconds(ms);
  return {};
}

}  // namespace conductorai::infrastructure
