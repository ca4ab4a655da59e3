#pragma once
// Expressions of workflow files: `if`, and `${{ }}` inside text. The language and its coercions are those of GitHub Actions:
// literals null true false 12 1.5 0xff 'it''s'; == != < <= > >= && || ! ( ); contains startsWith endsWith; success failure always
// cancelled; names inputs.<name>, tasks.<id>.outputs.<name>, foreach.item, env.<NAME>, each with further .field, ['field'] or [0] after it.
//
// Coercions: operands of different types are compared as numbers (null 0, true 1, text by its decimal or hex form, "" 0, else NaN; lists
// and objects NaN). Text is compared without regard to ASCII case. Falsy are false, 0, NaN, "" and null. && and || yield an operand. What
// is missing is null. In text, null is "", lists and objects are compact JSON.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/result.hpp"
#include "conductorai/value.hpp"

namespace conductorai::core {

/// How the tasks before this one ended: what success(), failure() and cancelled() answer. Known in `if` only.
struct NeedsOutcome {
  bool success = true;
  bool failure = false;
  bool cancelled = false;
};

/// What an expression can read. Pointers are borrowed for the call; an absent one means its names are null.
struct Scope {
  const Object* inputs = nullptr;
  const std::map<std::string, std::string>* env = nullptr;
  std::function<const Object*(const TaskId&)> outputs;  // of a task; null when it has none
  const Value* foreach_item = nullptr;                  // absent: `foreach.item` is an error
  std::optional<NeedsOutcome> needs;                    // absent: status functions are an error
};

/// One name an expression reads, for checks before a run.
struct Reference {
  enum class Root { inputs, tasks, foreach_item, env } root = Root::inputs;
  TaskId task;       // with tasks
  std::string name;  // the input, output or variable
  int column = 1;    // where it stands, 1-based
};

/// A parsed expression; immutable, copies share.
class Expression {
 public:
  struct Node;
  explicit Expression(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  [[nodiscard]] const Node& root() const { return *root_; }

 private:
  std::shared_ptr<const Node> root_;
};

/// The text without `${{ }}`. Errors: invalid_argument, `where` is "column N".
Result<Expression> parse_expression(std::string_view text);
Result<Value> evaluate(const Expression& expression, const Scope& scope);
[[nodiscard]] std::vector<Reference> list_references(const Expression& expression);
/// True when success(), failure(), always() or cancelled() occurs; an `if` without one of them means `success() && (…)`.
[[nodiscard]] bool uses_status(const Expression& expression);

/// An `if`: parsed, guarded by success() where it uses no status function, judged by truth. Empty text is success().
Result<bool> evaluate_condition(std::string_view text, const Scope& scope);

/// Text with `${{ }}` in it. One that is exactly one `${{ }}` keeps the type of its value; else the values are joined as text.
Result<Value> evaluate_template(std::string_view text, const Scope& scope);
/// Every string inside a value, however deep; keys of objects stay as they are.
Result<Value> evaluate_templates(const Value& value, const Scope& scope);
/// A `${{` stands in it, however deep.
[[nodiscard]] bool holds_template(const Object& object);
/// What all `${{ }}` inside a text or a value read. Errors: as parse_expression (columns count in the text that holds it).
Result<std::vector<Reference>> list_template_references(std::string_view text);
Result<std::vector<Reference>> list_template_references(const Value& value);

[[nodiscard]] bool is_truthy(const Value& value);
/// A value as it stands in text.
[[nodiscard]] std::string to_text(const Value& value);

}  // namespace conductorai::core
