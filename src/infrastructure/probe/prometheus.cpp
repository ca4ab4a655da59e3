#include "infrastructure/probe/prometheus.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/printable.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kSamplesMax = 50'000;

bool name_char(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (!first && c >= '0' && c <= '9');
}

/// One line, read from its front; every function moves past what it took.
struct Line {
  std::string_view rest;

  void skip_blanks() { rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size())); }
  bool take(char c) {
    skip_blanks();
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  std::string_view name() {
    skip_blanks();
    std::size_t size = 0;
    while (size < rest.size() && name_char(rest[size], size == 0)) ++size;
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }
  /// Between quotes, as written: escapes stay, so that keys compare as text.
  std::optional<std::string_view> quoted() {
    if (!take('"')) return std::nullopt;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] == '\\') {
        ++i;
        continue;
      }
      if (rest[i] != '"') continue;
      const std::string_view taken = rest.substr(0, i);
      rest.remove_prefix(i + 1);
      return taken;
    }
    return std::nullopt;
  }
  std::string_view word() {
    skip_blanks();
    const std::string_view taken = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(taken.size());
    return taken;
  }
};

std::optional<double> number(std::string_view word) {
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (word == "+Inf" || word == "Inf") return std::numeric_limits<double>::infinity();
  if (word == "-Inf") return -std::numeric_limits<double>::infinity();
  if (word.starts_with('+')) word.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::optional<std::string> labels(Line& line) {
  std::map<std::string, std::string> sorted;
  while (!line.take('}')) {
    const std::string_view name = line.name();
    if (name.empty() || !line.take('=')) return std::nullopt;
    const auto value = line.quoted();
    if (!value) return std::nullopt;
    sorted[std::string(name)] = std::string(*value);
    if (!line.take(',') && !line.rest.starts_with('}')) return std::nullopt;
  }
  std::string text;
  for (const auto& [name, value] : sorted) text.append(text.empty() ? "" : ",").append(name).append("=\"").append(value).append("\"");
  return text.empty() ? text : "{" + text + "}";
}

bool read_line(Line line, std::map<std::string, double>& out) {
  const std::string_view name = line.name();
  if (name.empty()) return false;
  std::string key(name);
  if (line.take('{')) {
    auto text = labels(line);
    if (!text) return false;
    key += *text;
  }
  const auto value = number(line.word());
  if (!value) return false;
  const std::string_view stamp = line.word();
  if (!stamp.empty() && !stamp.starts_with('#') && !number(stamp)) return false;
  out[key] = *value;
  return true;
}

}  // namespace

Result<std::map<std::string, double>> parse_prometheus(std::string_view text) {
  std::map<std::string, double> out;
  for (int at = 1; !text.empty(); ++at) {
    const auto end = text.find('\n');
    Line line{text.substr(0, end)};
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.rest.ends_with('\r')) line.rest.remove_suffix(1);
    line.skip_blanks();
    if (line.rest.empty() || line.rest.starts_with('#')) continue;
    if (!read_line(line, out))
      return fail(ErrorCode::invalid_answer, "not Prometheus text: \"" + printable_line(line.rest, 100) + "\"",
                  "line " + std::to_string(at));
    if (out.size() > kSamplesMax)
      return fail(ErrorCode::invalid_answer, "more than " + std::to_string(kSamplesMax) + " metrics", "line " + std::to_string(at));
  }
  return out;
}

}  // namespace conductorai::infrastructure
