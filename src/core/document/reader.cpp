#include "core/document/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <regex>

namespace conductorai::core::document {

namespace {

constexpr std::string_view kDurationPattern = "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$";
constexpr std::string_view kSizePattern = "^[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB|TiB)?$";

/// "from 1 to 5", "1 or more": what a person wants to know of a range.
std::string range_text(double min, double max, double unbounded) {
  if (max >= unbounded) return fmt::format("{} or more", min);
  return fmt::format("from {} to {}", min, max);
}

std::string quote_hint(const Node& node) {
  const bool scalar = node.is_number() || node.is(Node::Kind::boolean);
  return scalar ? fmt::format("put it in quotes: \"{}\"", node.text) : std::string();
}

std::string boolean_hint(const Node& node) {
  for (const std::string_view word : {"yes", "Yes", "on", "On", "y"})
    if (node.text == word) return "write true";
  for (const std::string_view word : {"no", "No", "off", "Off", "n"})
    if (node.text == word) return "write false";
  return {};
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// A regular expression over a whole text, compiled when the first is held against it: of the keys that may be given, a start meets few.
class Pattern {
 public:
  explicit Pattern(std::string expression) : expression_(std::move(expression)) {}
  [[nodiscard]] bool fits(const std::string& text) const {
    std::call_once(once_, [this] { compiled_ = std::regex(expression_); });
    return std::regex_match(text, compiled_);
  }

 private:
  std::string expression_;
  mutable std::once_flag once_;
  mutable std::regex compiled_;
};

Object text_schema(const TextRules& rules) {
  Object schema{{"type", "string"}};
  if (!rules.allowed.empty()) {
    Array words;
    for (const std::string& word : rules.allowed) words.emplace_back(word);
    schema["enum"] = std::move(words);
  }
  if (!rules.may_be_empty) schema["minLength"] = 1;
  if (rules.bytes_max > 0) schema["maxLength"] = static_cast<std::int64_t>(rules.bytes_max);
  if (rules.one_line) schema["pattern"] = "^[^\\x00-\\x1F\\x7F]*$";
  if (!rules.pattern.empty()) schema["pattern"] = "^(" + rules.pattern + ")$";
  return schema;
}

bool read_text(const TextRules& rules, const Pattern* pattern, const Node& node, std::string& out, Problems& problems) {
  const std::string what = rules.allowed.empty() ? rules.expected : fmt::format("one of {}", fmt::join(rules.allowed, ", "));
  const auto wrong = [&](const std::string& expected, std::string hint = {}) {
    if (rules.shown)
      problems.expected(node, expected, std::move(hint));
    else
      problems.add(node.at, "expected " + expected + ", and not what stands here");
  };
  if (!node.is(Node::Kind::text)) {
    wrong(what, rules.allowed.empty() ? quote_hint(node) : "");
    return false;
  }
  if (!rules.allowed.empty() && std::ranges::find(rules.allowed, node.text) == rules.allowed.end()) {
    const auto near = closest(node.text, rules.allowed);
    wrong(what, near ? "did you mean '" + *near + "'?" : "");
    return false;
  }
  // The length is bounded before the expression is matched: std::regex recurses a level a character.
  const bool fits = (rules.may_be_empty || !node.text.empty()) && !(rules.one_line && has_control_character(node.text)) &&
                    (rules.bytes_max == 0 || node.text.size() <= rules.bytes_max);
  if (!fits || (pattern != nullptr && (node.text.size() > 1'000 || !pattern->fits(node.text)))) {
    const std::string limit =
        rules.bytes_max > 0 && node.text.size() > rules.bytes_max ? fmt::format(" of at most {} bytes", rules.bytes_max) : "";
    wrong(what + limit);
    return false;
  }
  out = node.text;
  return true;
}

}  // namespace

Type<std::string> text(TextRules rules) {
  Object schema = text_schema(rules);
  auto pattern = rules.pattern.empty() ? nullptr : std::make_shared<const Pattern>(rules.pattern);
  return {[rules = std::move(rules), pattern = std::move(pattern)](const Node& node, std::string& out, Problems& problems) {
            return read_text(rules, pattern.get(), node, out, problems);
          },
          std::move(schema)};
}

Type<bool> boolean() {
  return {[](const Node& node, bool& out, Problems& problems) {
            if (!node.is(Node::Kind::boolean)) return problems.expected(node, "true or false", boolean_hint(node)), false;
            out = node.boolean;
            return true;
          },
          Object{{"type", "boolean"}}};
}

Type<double> number(double min, double max) {
  return {[min, max](const Node& node, double& out, Problems& problems) {
            if (!node.is_number() || !std::isfinite(node.number) || node.number < min || node.number > max)
              return problems.expected(node, "a number " + range_text(min, max, 1e15)), false;
            out = node.number;
            return true;
          },
          Object{{"type", "number"}, {"minimum", min}, {"maximum", max}}};
}

Type<double> positive_number(double max) {
  return {[max](const Node& node, double& out, Problems& problems) {
            if (!node.is_number() || !std::isfinite(node.number) || node.number <= 0 || node.number > max)
              return problems.expected(node, fmt::format("a number greater than 0, at most {}", max)), false;
            out = node.number;
            return true;
          },
          Object{{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", max}}};
}

Type<std::int64_t> whole_number(std::int64_t min, std::int64_t max) {
  return {[min, max](const Node& node, std::int64_t& out, Problems& problems) {
            if (!node.is(Node::Kind::integer) || node.integer < min || node.integer > max) {
              const std::string range =
                  max >= std::numeric_limits<int>::max() ? fmt::format("{} or more", min) : fmt::format("from {} to {}", min, max);
              return problems.expected(node, "a whole number " + range), false;
            }
            out = node.integer;
            return true;
          },
          Object{{"type", "integer"}, {"minimum", min}, {"maximum", max}}};
}

Type<Milliseconds> duration(Milliseconds min, Milliseconds max) {
  return {[min, max](const Node& node, Milliseconds& out, Problems& problems) {
            const auto found = node.is(Node::Kind::text) ? parse_duration(node.text) : std::nullopt;
            if (!found) {
              const std::string hint = node.is_number() ? fmt::format("give the unit: {}s", node.text) : "";
              return problems.expected(node, "a duration like 250ms, 10s, 5m or 2h", hint), false;
            }
            if (*found < min || *found > max) {
              const std::string range = fmt::format("a duration from {} to {}", format_duration(min), format_duration(max));
              return problems.expected(node, range), false;
            }
            out = *found;
            return true;
          },
          Object{{"type", "string"}, {"pattern", kDurationPattern}}};
}

Type<std::int64_t> size(std::int64_t min, std::int64_t max) {
  Array alternatives{Object{{"type", "string"}, {"pattern", kSizePattern}},
                     Object{{"type", "integer"}, {"minimum", min}, {"maximum", max}}};
  return {[min, max](const Node& node, std::int64_t& out, Problems& problems) {
            std::optional<std::int64_t> found;
            if (node.is(Node::Kind::text)) found = parse_size(node.text);
            if (node.is(Node::Kind::integer)) found = node.integer;
            if (!found) return problems.expected(node, "a size like 64KiB, 512MiB or 1GiB"), false;
            if (*found < min || *found > max)
              return problems.expected(node, fmt::format("a size from {} to {}", format_size(min), format_size(max))), false;
            out = *found;
            return true;
          },
          Object{{"anyOf", std::move(alternatives)}}};
}

Type<std::int64_t> usd(double max) {
  return convert<std::int64_t, double>(positive_number(max),
                                       [](double dollars) { return std::max<std::int64_t>(1, std::llround(dollars * 1e6)); });
}

Type<std::int64_t> minutes(double max) {
  return convert<std::int64_t, double>(positive_number(max),
                                       [](double count) { return std::max<std::int64_t>(1, std::llround(count * 60'000)); });
}

Type<Value> any() {
  return {[](const Node& node, Value& out, Problems&) {
            out = to_value(node);
            return true;
          },
          Object{}};
}

Type<Object> mapping() {
  return {[](const Node& node, Object& out, Problems& problems) {
            if (!node.is(Node::Kind::map)) return problems.expected(node, "a mapping"), false;
            const Value value = to_value(node);
            out = *value.as_object();
            return true;
          },
          Object{{"type", "object"}}};
}

}  // namespace conductorai::core::document
