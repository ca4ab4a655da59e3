#pragma once
// One description of a document's shape gives its reading, its errors and its JSON Schema.
//
//   const auto retry = Section<RetryPolicy>("how often a task is tried")
//                          .key("max-attempts", &RetryPolicy::max_attempts, integer<int>(1, 100), "tries in all, the first counted")
//                          .key("backoff", &RetryPolicy::backoff, duration(), "base of the exponential");
//   RetryPolicy policy;                                  // keys left out keep what the struct holds
//   retry.type().read(node, policy, problems);

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "conductorai/time.hpp"
#include "conductorai/value.hpp"
#include "core/document/node.hpp"
#include "core/document/problems.hpp"
#include "core/document/words.hpp"

namespace conductorai::core::document {

template <class T>
struct Type {
  /// False when a problem was added; `out` is then unspecified.
  std::function<bool(const Node&, T& out, Problems&)> read;
  Object schema;  // JSON Schema, draft 7
};

struct TextRules {
  std::vector<std::string> allowed;  // empty: any
  bool may_be_empty = true;
  std::size_t bytes_max = 0;      // 0: any
  bool one_line = false;          // no control characters
  std::string pattern;            // ECMAScript regular expression over the whole text; empty: any
  std::string expected = "text";  // for the message
  bool shown = true;              // false: it may be a secret, and no message shows what was found
};

Type<std::string> text(TextRules rules = {});
Type<bool> boolean();
Type<double> number(double min, double max);
/// Greater than 0.
Type<double> positive_number(double max);
Type<std::int64_t> whole_number(std::int64_t min, std::int64_t max);
Type<Milliseconds> duration(Milliseconds min = Milliseconds{1}, Milliseconds max = std::chrono::hours(24 * 366));
Type<std::int64_t> size(std::int64_t min = 1, std::int64_t max = std::int64_t{1} << 50);
/// Dollars as a number greater than 0, kept as micro-dollars.
Type<std::int64_t> usd(double max = 1e6);
/// Minutes as a number greater than 0 that may have a fraction, kept as milliseconds.
Type<std::int64_t> minutes(double max = 527'040);
Type<Value> any();
/// Any mapping, kept as it is.
Type<Object> mapping();

template <class T, class From>
Type<T> convert(Type<From> from, std::function<T(From)> conversion) {
  return {[read = from.read, conversion = std::move(conversion)](const Node& node, T& out, Problems& problems) {
            From value{};
            if (!read(node, value, problems)) return false;
            out = conversion(std::move(value));
            return true;
          },
          from.schema};
}

template <class Integer>
Type<Integer> integer(std::int64_t min, std::int64_t max = std::numeric_limits<Integer>::max()) {
  return convert<Integer, std::int64_t>(whole_number(min, max), [](std::int64_t n) { return static_cast<Integer>(n); });
}

template <class Enum>
Type<Enum> choice(std::vector<std::pair<std::string, Enum>> words) {
  TextRules rules;
  for (const auto& [word, unused] : words) rules.allowed.push_back(word);
  return convert<Enum, std::string>(text(std::move(rules)), [words = std::move(words)](const std::string& found) {
    for (const auto& [word, value] : words)
      if (word == found) return value;
    return words.front().second;
  });
}

template <class T>
Type<std::vector<T>> list(Type<T> item, std::size_t min = 0, std::size_t max = 10'000) {
  Object schema{{"type", "array"}, {"items", item.schema}};
  if (min > 0) schema["minItems"] = static_cast<std::int64_t>(min);
  return {[item = std::move(item), min, max](const Node& node, std::vector<T>& out, Problems& problems) {
            if (!node.is(Node::Kind::list)) return problems.expected(node, "a list"), false;
            if (node.items.size() < min || node.items.size() > max) {
              problems.add(node.at, "expected " + std::to_string(min) + " to " + std::to_string(max) + " entries, found " +
                                        std::to_string(node.items.size()));
              return false;
            }
            bool good = true;
            out.clear();
            for (std::size_t i = 0; i < node.items.size(); ++i) {
              Problems::In in(problems, "[" + std::to_string(i) + "]");
              T value{};
              good = item.read(node.items[i], value, problems) && good;
              out.push_back(std::move(value));
            }
            return good;
          },
          std::move(schema)};
}

/// A mapping whose keys are the document's own names, checked by `name_problem` (empty: fine, else what is wrong with it).
template <class T>
Type<std::vector<std::pair<std::string, T>>> entries(Type<T> value_type, std::function<std::string(const std::string&)> name_problem = {},
                                                     std::string name_pattern = {}) {
  Object schema{{"type", "object"}};
  if (name_pattern.empty()) {
    schema["additionalProperties"] = value_type.schema;
  } else {
    schema["patternProperties"] = Object{{name_pattern, value_type.schema}};
    schema["additionalProperties"] = false;
  }
  return {[value_type = std::move(value_type), name_problem = std::move(name_problem)](
              const Node& node, std::vector<std::pair<std::string, T>>& out, Problems& problems) {
            if (!node.is(Node::Kind::map)) return problems.expected(node, "a mapping"), false;
            bool good = true;
            out.clear();
            for (const Member& member : node.members) {
              Problems::In in(problems, member.key);
              const std::string wrong = name_problem ? name_problem(member.key) : std::string();
              if (!wrong.empty()) problems.add(member.key_at, wrong), good = false;
              T value{};
              good = value_type.read(member.value, value, problems) && good;
              out.emplace_back(member.key, std::move(value));
            }
            return good;
          },
          std::move(schema)};
}

template <class T>
Type<std::map<std::string, T>> dictionary(Type<T> value_type, std::function<std::string(const std::string&)> name_problem = {},
                                          std::string name_pattern = {}) {
  using Pairs = std::vector<std::pair<std::string, T>>;
  return convert<std::map<std::string, T>, Pairs>(
      entries(std::move(value_type), std::move(name_problem), std::move(name_pattern)),
      [](Pairs pairs) { return std::map<std::string, T>(std::make_move_iterator(pairs.begin()), std::make_move_iterator(pairs.end())); });
}

/// The first alternative that `fits` the node's kind reads it.
template <class T>
Type<T> either(std::string expected, std::vector<std::pair<Node::Kind, Type<T>>> alternatives) {
  Array schemas;
  for (const auto& [kind, type] : alternatives) schemas.push_back(type.schema);
  return {[expected = std::move(expected), alternatives = std::move(alternatives)](const Node& node, T& out, Problems& problems) {
            for (const auto& [kind, type] : alternatives)
              if (node.is(kind)) return type.read(node, out, problems);
            problems.expected(node, expected);
            return false;
          },
          Object{{"anyOf", std::move(schemas)}}};
}

/// A mapping with known keys. Unknown keys are refused with a suggestion.
template <class T>
class Section {
 public:
  explicit Section(std::string description) : description_(std::move(description)) {}

  /// `V` is assigned to a member of type V, optional<V>, or anything made from V.
  template <class Member, class Owner, class V>
  Section& key(std::string name, Member Owner::* member, Type<V> type, std::string description) {
    return use(
        std::move(name), std::move(type), [member](T& out, V value) { out.*member = Member(std::move(value)); }, std::move(description));
  }
  template <class V>
  Section& use(std::string name, Type<V> type, std::type_identity_t<std::function<void(T&, V)>> apply, std::string description) {
    Object schema = type.schema;
    schema["description"] = std::move(description);
    keys_.push_back({std::move(name), false, std::move(schema),
                     [read = std::move(type.read), apply = std::move(apply)](const Node& node, T& out, Problems& problems) {
                       V value{};
                       if (!read(node, value, problems)) return false;
                       apply(out, std::move(value));
                       return true;
                     }});
    return *this;
  }
  /// The key read in place: keys of the inner section that are left out keep what the outer struct holds.
  template <class Inner, class Owner>
  Section& nested(std::string name, Inner Owner::* member, const Section<Inner>& inner, std::string description) {
    Type<Inner> type = inner.type();
    type.schema["description"] = std::move(description);
    keys_.push_back({std::move(name), false, type.schema, [member, read = type.read](const Node& node, T& out, Problems& problems) {
                       return read(node, out.*member, problems);
                     }});
    return *this;
  }
  /// A key whose section fills in members of the same struct (or of its base).
  template <class Owner>
  Section& part(std::string name, const Section<Owner>& inner, std::string description) {
    Type<Owner> type = inner.type();
    type.schema["description"] = std::move(description);
    keys_.push_back({std::move(name), false, type.schema,
                     [read = type.read](const Node& node, T& out, Problems& problems) { return read(node, out, problems); }});
    return *this;
  }
  /// The key added last must be there.
  Section& required() {
    keys_.back().required = true;
    return *this;
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    names.reserve(keys_.size());
    for (const Key& key : keys_) names.push_back(key.name);
    return names;
  }
  [[nodiscard]] Object schema() const {
    Object properties;
    Array required;
    for (const Key& key : keys_) {
      properties.emplace(key.name, key.schema);
      if (key.required) required.emplace_back(key.name);
    }
    Object schema{
        {"type", "object"}, {"description", description_}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
  }
  bool read(const Node& node, T& out, Problems& problems) const {
    if (!node.is(Node::Kind::map)) return problems.expected(node, "a mapping (" + description_ + ")"), false;
    bool good = true;
    for (const Member& member : node.members) {
      const Key* key = find(member.key);
      if (key == nullptr) {
        problems.add(member.key_at, "unknown key " + quote(member.key), suggestion(member.key, names()));
        good = false;
        continue;
      }
      Problems::In in(problems, member.key);
      good = key->read(member.value, out, problems) && good;
    }
    for (const Key& key : keys_) {
      if (!key.required || node.find(key.name) != nullptr) continue;
      problems.add(node.at, "the key '" + key.name + "' is missing");
      good = false;
    }
    return good;
  }
  [[nodiscard]] Type<T> type() const {
    return {[self = *this](const Node& node, T& out, Problems& problems) { return self.read(node, out, problems); }, schema()};
  }

 private:
  struct Key {
    std::string name;
    bool required = false;
    Object schema;
    std::function<bool(const Node&, T&, Problems&)> read;
  };
  [[nodiscard]] const Key* find(const std::string& name) const {
    for (const Key& key : keys_)
      if (key.name == name) return &key;
    return nullptr;
  }
  std::string description_;
  std::vector<Key> keys_;
};

}  // namespace conductorai::core::document
