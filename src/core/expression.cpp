#include "core/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/lower.hpp"
#include "core/expression_node.hpp"
#include "core/json.hpp"

namespace conductorai::core {
namespace {

using Node = Expression::Node;

double text_to_number(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  if (text.empty()) return 0;
  const char* const first = text.data();
  const char* const last = first + text.size();
  if (text.starts_with("0x")) {
    std::int64_t integer = 0;
    const auto r = std::from_chars(first + 2, last, integer, 16);
    return r.ec == std::errc() && r.ptr == last ? static_cast<double>(integer) : std::numeric_limits<double>::quiet_NaN();
  }
  double number = 0;
  const auto r = std::from_chars(first, last, number);
  return r.ec == std::errc() && r.ptr == last ? number : std::numeric_limits<double>::quiet_NaN();
}

double to_number(const Value& value) {
  if (value.is_null()) return 0;
  if (const bool* b = value.as_bool()) return *b ? 1 : 0;
  if (const auto* i = value.as_int()) return static_cast<double>(*i);
  if (const double* d = value.as_double()) return *d;
  if (const auto* s = value.as_string()) return text_to_number(*s);
  return std::numeric_limits<double>::quiet_NaN();
}

template <class T>
std::partial_ordering ordered(const T& a, const T& b) {
  return a <=> b;
}

std::partial_ordering compare(const Value& a, const Value& b) {
  if (a.as_int() != nullptr && b.as_int() != nullptr) return ordered(*a.as_int(), *b.as_int());
  if (a.as_string() != nullptr && b.as_string() != nullptr) return ordered(lower(*a.as_string()), lower(*b.as_string()));
  const bool both_lists = a.as_array() != nullptr && b.as_array() != nullptr;
  const bool both_objects = a.as_object() != nullptr && b.as_object() != nullptr;
  if (both_lists || both_objects) return a == b ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
  return to_number(a) <=> to_number(b);
}

bool holds(std::string_view op, std::partial_ordering order) {
  if (op == "==") return order == std::partial_ordering::equivalent;
  if (op == "!=") return order != std::partial_ordering::equivalent;
  if (op == "<") return order == std::partial_ordering::less;
  if (op == ">") return order == std::partial_ordering::greater;
  if (op == "<=") return order == std::partial_ordering::less || order == std::partial_ordering::equivalent;
  return order == std::partial_ordering::greater || order == std::partial_ordering::equivalent;
}

Value member(const Value& value, const Value& key) {
  if (const Array* list = value.as_array()) {
    const double index = to_number(key);
    if (!(index >= 0) || index >= static_cast<double>(list->size())) return nullptr;
    return (*list)[static_cast<std::size_t>(index)];
  }
  const Value* found = value.find(to_text(key));
  return found == nullptr ? Value() : *found;
}

bool contains(const Value& where, const Value& what) {
  if (const Array* list = where.as_array())
    return std::ranges::any_of(*list, [&](const Value& item) { return compare(item, what) == std::partial_ordering::equivalent; });
  return lower(to_text(where)).contains(lower(to_text(what)));
}

class Evaluator {
 public:
  explicit Evaluator(const Scope& scope) : scope_(scope) {}

  Result<Value> evaluate(const Node& node) {
    switch (node.kind) {
      case Node::Kind::literal: return node.literal;
      case Node::Kind::name: return read(node);
      case Node::Kind::negation: return negate(*node.children[0]);
      case Node::Kind::conjunction: return chain(node, false);
      case Node::Kind::disjunction: return chain(node, true);
      case Node::Kind::comparison: return compare_operands(node);
      case Node::Kind::call: return call(node);
    }
    return Value();
  }

 private:
  Result<Value> negate(const Node& operand) {
    auto value = evaluate(operand);
    if (value) value = Value(!is_truthy(*value));
    return value;
  }

  /// && stops at the first falsy operand, || at the first truthy one, and yields it.
  Result<Value> chain(const Node& node, bool stop_at) {
    Result<Value> value;
    for (const auto& child : node.children) {
      value = evaluate(*child);
      if (!value || is_truthy(*value) == stop_at) return value;
    }
    return value;
  }

  Result<Value> compare_operands(const Node& node) {
    auto left = evaluate(*node.children[0]);
    if (!left) return left;
    auto right = evaluate(*node.children[1]);
    if (!right) return right;
    return Value(holds(node.word, compare(*left, *right)));
  }

  Result<Value> call(const Node& node) {
    if (is_status_function(node.word)) return status(node);
    auto first = evaluate(*node.children[0]);
    if (!first) return first;
    auto second = evaluate(*node.children[1]);
    if (!second) return second;
    if (node.word == "contains") return Value(contains(*first, *second));
    const std::string text = lower(to_text(*first));
    const std::string part = lower(to_text(*second));
    return Value(node.word == "startsWith" ? text.starts_with(part) : text.ends_with(part));
  }

  Result<Value> status(const Node& node) {
    if (!scope_.needs) return wrong(node, node.word + "() stands only in `if`");
    if (node.word == "always") return Value(true);
    if (node.word == "success") return Value(scope_.needs->success);
    return Value(node.word == "failure" ? scope_.needs->failure : scope_.needs->cancelled);
  }

  Result<Value> read(const Node& node) {
    auto value = root(node);
    for (const auto& child : node.children) {
      if (!value) return value;
      auto key = evaluate(*child);
      if (!key) return key;
      value = member(*value, *key);
    }
    return value;
  }

  Result<Value> root(const Node& node) {
    const Reference& reference = node.reference;
    switch (reference.root) {
      case Reference::Root::inputs: return member_of(scope_.inputs, reference.name);
      case Reference::Root::tasks: {
        const Object* outputs = scope_.outputs ? scope_.outputs(reference.task) : nullptr;
        if (reference.name.empty()) return outputs == nullptr ? Value() : Value(*outputs);
        return member_of(outputs, reference.name);
      }
      case Reference::Root::foreach_item:
        if (scope_.foreach_item == nullptr) return wrong(node, "foreach.item is known only inside a task with `foreach`");
        return *scope_.foreach_item;
      case Reference::Root::env: {
        if (scope_.env == nullptr) return Value();
        auto it = scope_.env->find(reference.name);
        return it == scope_.env->end() ? Value() : Value(it->second);
      }
    }
    return Value();
  }

  static Value member_of(const Object* object, const std::string& name) {
    if (object == nullptr) return {};
    auto it = object->find(name);
    return it == object->end() ? Value() : it->second;
  }

  static std::unexpected<Error> wrong(const Node& node, std::string message) {
    return fail(ErrorCode::invalid_argument, std::move(message), "column " + std::to_string(node.column));
  }

  const Scope& scope_;
};

void collect_references(const Node& node, std::vector<Reference>& out) {
  if (node.kind == Node::Kind::name) out.push_back(node.reference);
  for (const auto& child : node.children) collect_references(*child, out);
}

bool any_status(const Node& node) {
  if (node.kind == Node::Kind::call && is_status_function(node.word)) return true;
  return std::ranges::any_of(node.children, [](const auto& child) { return any_status(*child); });
}

}  // namespace

Result<Value> evaluate(const Expression& expression, const Scope& scope) {
  return Evaluator(scope).evaluate(expression.root());
}

std::vector<Reference> list_references(const Expression& expression) {
  std::vector<Reference> out;
  collect_references(expression.root(), out);
  return out;
}

bool uses_status(const Expression& expression) {
  return any_status(expression.root());
}

Result<bool> evaluate_condition(std::string_view text, const Scope& scope) {
  const bool success = !scope.needs || scope.needs->success;
  if (text.empty()) return success;
  auto expression = parse_expression(text);
  if (!expression) return fail(expression.error());
  if (!success && !uses_status(*expression)) return false;
  auto value = evaluate(*expression, scope);
  if (!value) return fail(value.error());
  return is_truthy(*value);
}

bool is_truthy(const Value& value) {
  if (const auto* text = value.as_string()) return !text->empty();
  if (value.as_array() != nullptr || value.as_object() != nullptr) return true;
  const double number = to_number(value);
  return number != 0 && !std::isnan(number);
}

std::string to_text(const Value& value) {
  if (value.is_null()) return {};
  if (const auto* text = value.as_string()) return *text;
  if (const double* number = value.as_double()) return fmt::format("{}", *number);
  return to_json(value);
}

}  // namespace conductorai::core
