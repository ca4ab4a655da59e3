#include <algorithm>
#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <set>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "agents/devops/schemas.hpp"
#include "base/assert.hpp"
#include "core/json_boost.hpp"

namespace conductorai::agents {
namespace {

using core::document::Node;
using Adapter = valijson::adapters::BoostJsonAdapter;

constexpr std::size_t kViolationsMax = 20;
constexpr std::size_t kErrorsMax = 1'000;  // of the validator, looked at
constexpr std::size_t kTextEnd = 250;      // of a long text, shown to the schema from either end: its patterns run on a backtracking engine

std::string ends_of(const std::string& text) {
  return text.size() <= 2 * kTextEnd ? text : text.substr(0, kTextEnd) + text.substr(text.size() - kTextEnd);
}

boost::json::value to_boost(const Node& node, bool nulls_are_absent) {
  switch (node.kind) {
    case Node::Kind::null: return nullptr;
    case Node::Kind::boolean: return node.boolean;
    case Node::Kind::integer: return node.integer;
    case Node::Kind::number: return node.number;
    case Node::Kind::text: return boost::json::string(ends_of(node.text));
    case Node::Kind::list: {
      boost::json::array out;
      for (const Node& item : node.items) out.push_back(to_boost(item, nulls_are_absent));
      return out;
    }
    case Node::Kind::map: {
      boost::json::object out;
      for (const auto& member : node.members)
        if (!nulls_are_absent || !member.value.is(Node::Kind::null)) out[ends_of(member.key)] = to_boost(member.value, nulls_are_absent);
      return out;
    }
  }
  return nullptr;
}

struct Loaded {
  boost::json::value json;
  valijson::Schema schema;
};

std::unique_ptr<Loaded> load(boost::json::value json) {
  auto loaded = std::make_unique<Loaded>();
  loaded->json = std::move(json);
  Adapter adapter(loaded->json);
  valijson::SchemaParser().populateSchema(adapter, loaded->schema);
  return loaded;
}

boost::json::value parsed(std::string_view name) {
  auto value = core::parse_boost(delivery_schemas().at(name));
  CONDUCTORAI_ASSERT(value.has_value(), "a schema of ours is no JSON");
  return std::move(*value);
}

// A place is named "<root>", "[jobs]", "[0]", …
struct Place {
  core::document::Position at;
  std::string path;
};
Place place_of(const Node& root, const std::vector<std::string>& context) {
  Place place{.at = root.at, .path = {}};
  const Node* node = &root;
  for (std::size_t i = 1; i < context.size() && node != nullptr; ++i) {
    const std::string name = context[i].size() < 2 ? context[i] : context[i].substr(1, context[i].size() - 2);
    const Node* next = nullptr;
    if (node->is(Node::Kind::list)) {
      const auto index = static_cast<std::size_t>(std::strtoul(name.c_str(), nullptr, 10));
      if (index < node->items.size()) next = &node->items[index];
      place.path += "[" + name + "]";
      if (next != nullptr) place.at = next->at;
    } else {
      for (const auto& member : node->members)
        if (member.key == name) {
          next = &member.value;
          place.at = member.key_at;
        }
      place.path += (place.path.empty() ? "" : ".") + name;
    }
    node = next;
  }
  return place;
}

bool is_within(const std::vector<std::string>& inner, const std::vector<std::string>& outer) {
  return inner.size() > outer.size() && std::equal(outer.begin(), outer.end(), inner.begin());
}

const Node* node_at(const Node& root, const std::vector<std::string>& context) {
  const Node* node = &root;
  for (std::size_t i = 1; i < context.size() && node != nullptr; ++i) {
    const std::string name = context[i].size() < 2 ? context[i] : context[i].substr(1, context[i].size() - 2);
    if (!node->is(Node::Kind::list)) {
      node = node->find(name);
      continue;
    }
    const auto index = static_cast<std::size_t>(std::strtoul(name.c_str(), nullptr, 10));
    node = index < node->items.size() ? &node->items[index] : nullptr;
  }
  return node;
}

// Names the unknown key itself where the validator names it in its words.
Violation worded(const Node& root, const valijson::ValidationResults::Error& error) {
  const Place place = place_of(root, error.context);
  Violation out{.at = place.at, .path = place.path, .message = error.description};
  constexpr std::string_view kUnknown = "constraints: '";
  const auto at = error.description.find(kUnknown);
  if (at == std::string::npos) return out;
  const auto begin = at + kUnknown.size();
  const std::string key = error.description.substr(begin, error.description.rfind('\'') - begin);
  out.message = "unknown key '" + key + "'";
  if (const Node* node = node_at(root, error.context); node != nullptr)
    for (const auto& member : node->members)
      if (member.key == key) out.at = member.key_at;
  return out;
}

std::vector<Violation> innermost(const Node& root, valijson::ValidationResults& results) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(results.numErrors(), kErrorsMax));
  const std::vector<valijson::ValidationResults::Error> errors(results.begin(), results.begin() + count);
  std::vector<Violation> out;
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& error : errors) {
    if (out.size() == kViolationsMax) break;
    if (std::ranges::any_of(errors, [&](const auto& other) { return is_within(other.context, error.context); })) continue;
    Violation violation = worded(root, error);
    if (seen.emplace(violation.path, violation.message).second) out.push_back(std::move(violation));
  }
  return out;
}

std::vector<Violation> check(const Loaded& loaded, const Node& document, bool nulls_are_absent) {
  const boost::json::value json = to_boost(document, nulls_are_absent);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(loaded.schema, Adapter(json), &results)) return {};
  auto out = innermost(document, results);
  if (out.empty()) out.push_back({.at = document.at, .path = {}, .message = "it does not follow its schema"});
  return out;
}

}  // namespace

std::vector<Violation> workflow_violations(const Node& document) {
  static const auto schema = load(parsed("github-workflow"));
  return check(*schema, document, false);
}

std::vector<Violation> compose_violations(const Node& document) {
  static const auto schema = load(parsed("compose"));
  return check(*schema, document, false);
}

std::optional<std::vector<Violation>> manifest_violations(const std::string& kind, const Node& document) {
  static const boost::json::value all = parsed("kubernetes");
  static std::map<std::string, std::unique_ptr<Loaded>> loaded;  // one thread: the loop's
  const auto& kinds = all.at("kinds").as_object();
  const auto* reference = kinds.if_contains(kind);
  if (reference == nullptr) return std::nullopt;
  auto& schema = loaded[kind];
  if (!schema) schema = load(boost::json::object{{"$ref", *reference}, {"definitions", all.at("definitions")}});
  return check(*schema, document, true);
}

}  // namespace conductorai::agents
