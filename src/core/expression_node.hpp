#pragma once
// The tree of an expression; private to core's expression files.

#include "core/expression.hpp"

namespace conductorai::core {

/// Deeper trees are refused: evaluation recurses.
inline constexpr int kExpressionDepthMax = 64;

struct Expression::Node {
  enum class Kind { literal, name, negation, conjunction, disjunction, comparison, call };
  Kind kind = Kind::literal;
  int column = 1;
  int depth = 1;
  Value literal;
  std::string word;                                   // operator of a comparison, function of a call
  Reference reference;                                // of a name
  std::vector<std::shared_ptr<const Node>> children;  // operands, arguments; of a name: what follows it, field by field
};

using NodePtr = std::shared_ptr<const Expression::Node>;

/// success, failure, always, cancelled.
[[nodiscard]] bool is_status_function(std::string_view name);

}  // namespace conductorai::core
