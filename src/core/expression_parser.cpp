// expression = or ; or = and ("||" and)* ; and = compared ("&&" compared)* ; compared = unary (op unary)* ; unary = "!" unary | primary ;
// primary = literal | "(" or ")" | function "(" [or ("," or)*] ")" | name (".field" | "[" or "]")*

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/expression_node.hpp"

namespace conductorai::core {
namespace {

using Node = Expression::Node;

struct Function {
  std::string_view name;
  std::size_t arguments;
  bool status;
};
constexpr std::array kFunctions{Function{"contains", 2, false}, Function{"startsWith", 2, false}, Function{"endsWith", 2, false},
                                Function{"success", 0, true},   Function{"failure", 0, true},     Function{"always", 0, true},
                                Function{"cancelled", 0, true}};

const Function* find_function(std::string_view name) {
  for (const auto& function : kFunctions)
    if (function.name == name) return &function;
  return nullptr;
}

bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<NodePtr> parse() {
    auto root = parse_or();
    if (!root) return root;
    skip_space();
    if (at_ < text_.size()) return wrong("expected an operator or the end, not '" + std::string(1, text_[at_]) + "'");
    return root;
  }

 private:
  [[nodiscard]] std::unexpected<Error> wrong(std::string message) const { return wrong(std::move(message), column()); }
  [[nodiscard]] static std::unexpected<Error> wrong(std::string message, int column) {
    return fail(ErrorCode::invalid_argument, "the expression is wrong: " + std::move(message), "column " + std::to_string(column));
  }
  [[nodiscard]] int column() const { return static_cast<int>(at_) + 1; }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  std::string_view take_name() {
    const std::size_t from = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }

  static Result<NodePtr> finish(Node node) {
    for (const auto& child : node.children) node.depth = std::max(node.depth, child->depth + 1);
    if (node.depth > kExpressionDepthMax) return wrong("it is nested too deeply", node.column);
    return std::make_shared<const Node>(std::move(node));
  }

  Result<NodePtr> parse_chain(std::string_view separator, Node::Kind kind, Result<NodePtr> (Parser::*operand)()) {
    auto first = (this->*operand)();
    if (!first) return first;
    Node node{.kind = kind, .column = (*first)->column};
    node.children.push_back(*first);
    while (take(separator)) {
      auto next = (this->*operand)();
      if (!next) return next;
      node.children.push_back(*next);
    }
    if (node.children.size() == 1) return first;
    return finish(std::move(node));
  }
  // A parenthesis, index or argument recurses through here: the one place that has to count.
  Result<NodePtr> parse_or() {
    if (++nesting_ > kExpressionDepthMax) return wrong("it is nested too deeply");
    auto result = parse_chain("||", Node::Kind::disjunction, &Parser::parse_and);
    --nesting_;
    return result;
  }
  Result<NodePtr> parse_and() { return parse_chain("&&", Node::Kind::conjunction, &Parser::parse_comparison); }

  Result<NodePtr> parse_comparison() {
    auto left = parse_unary();
    while (left) {
      std::string_view found;
      for (std::string_view op : {"==", "!=", "<=", ">=", "<", ">"})
        if (found.empty() && take(op)) found = op;
      if (found.empty()) return left;
      auto right = parse_unary();
      if (!right) return right;
      left =
          finish(Node{.kind = Node::Kind::comparison, .column = (*left)->column, .word = std::string(found), .children = {*left, *right}});
    }
    return left;
  }

  Result<NodePtr> parse_unary() {
    skip_space();
    const int start = column();
    int negations = 0;
    while (skip_space(), at_ < text_.size() && text_[at_] == '!' && !text_.substr(at_).starts_with("!=")) ++at_, ++negations;
    auto operand = parse_primary();
    // !!!x is !x and !!!!x is !!x: two levels say it all.
    for (int i = 0; operand && i < (negations < 3 ? negations : 2 - negations % 2); ++i)
      operand = finish(Node{.kind = Node::Kind::negation, .column = start, .children = {*operand}});
    return operand;
  }

  Result<NodePtr> parse_primary() {
    skip_space();
    if (at_ >= text_.size()) return wrong(text_.empty() ? "it is empty" : "it ends where a value is expected");
    const char c = text_[at_];
    if (take("(")) {
      auto inner = parse_or();
      if (inner && !take(")")) return wrong("expected )");
      return inner;
    }
    if (c == '\'') return parse_text();
    if (c == '"') return wrong("text stands in single quotes");
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '+' || c == '.') return parse_number();
    if (starts_name(c)) return parse_word();
    return wrong("expected a value, not '" + std::string(1, c) + "'");
  }

  Result<NodePtr> parse_text() {
    Node node{.column = column()};
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\'') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '\'') break;
        ++at_;
      }
      text += text_[at_];
    }
    if (at_ >= text_.size()) return wrong("the text that starts here has no end", node.column);
    ++at_;
    node.literal = std::move(text);
    return finish(std::move(node));
  }

  Result<NodePtr> parse_number() {
    Node node{.column = column()};
    const std::size_t from = at_;
    ++at_;
    while (at_ < text_.size() && (in_name(text_[at_]) || text_[at_] == '.' || text_[at_] == '+')) ++at_;
    std::string_view token = text_.substr(from, at_ - from);
    if (token.front() == '+') token.remove_prefix(1);
    const bool hex = token.starts_with("0x");
    std::int64_t integer = 0;
    const char* first = token.data() + (hex ? 2 : 0);
    const char* last = token.data() + token.size();
    if (auto r = std::from_chars(first, last, integer, hex ? 16 : 10); r.ec == std::errc() && r.ptr == last) {
      node.literal = integer;
      return finish(std::move(node));
    }
    double number = 0;
    const auto r = std::from_chars(first, last, number);
    if (hex || r.ec != std::errc() || r.ptr != last || !std::isfinite(number))
      return wrong("'" + std::string(token) + "' is no number", node.column);
    node.literal = number;
    return finish(std::move(node));
  }

  Result<NodePtr> parse_word() {
    const int start = column();
    const std::string_view word = take_name();
    if (word == "true" || word == "false") return finish(Node{.column = start, .literal = word == "true"});
    if (word == "null") return finish(Node{.column = start});
    if (take("(")) return parse_call(word, start);
    return parse_reference(word, start);
  }

  Result<NodePtr> parse_call(std::string_view word, int start) {
    const Function* function = find_function(word);
    if (function == nullptr) return wrong("there is no function '" + std::string(word) + "'", start);
    Node node{.kind = Node::Kind::call, .column = start, .word = std::string(word)};
    while (!take(")")) {
      if (!node.children.empty() && !take(",")) return wrong("expected , or )");
      auto argument = parse_or();
      if (!argument) return argument;
      node.children.push_back(*argument);
    }
    if (node.children.size() != function->arguments)
      return wrong(std::string(word) + " takes " + std::to_string(function->arguments) + " arguments", start);
    return finish(std::move(node));
  }

  /// The next fixed part of a name: .part or ['part'].
  Result<std::string> parse_part(std::string_view after) {
    if (take("[")) {
      skip_space();
      if (at_ >= text_.size() || text_[at_] != '\'') return wrong("expected text in single quotes");
      auto part = parse_text();
      if (!part) return fail(part.error());
      if (!take("]")) return wrong("expected ]");
      return *(*part)->literal.as_string();
    }
    if (!take(".")) return wrong("expected .NAME after " + std::string(after));
    const std::string_view part = take_name();
    if (part.empty()) return wrong("expected a name after the dot");
    return std::string(part);
  }

  Result<NodePtr> parse_reference(std::string_view word, int start) {
    Node node{.kind = Node::Kind::name, .column = start};
    node.reference.column = start;
    if (word != "inputs" && word != "env" && word != "foreach" && word != "tasks")
      return wrong("unknown name '" + std::string(word) + "'; there are inputs, tasks, foreach and env", start);
    auto part = parse_part(word);
    if (!part) return fail(part.error());
    node.reference.name = *part;
    if (word == "env") {
      node.reference.root = Reference::Root::env;
    } else if (word == "foreach") {
      node.reference.root = Reference::Root::foreach_item;
      if (*part != "item") return wrong("foreach has only .item", start);
    } else if (word == "tasks") {
      node.reference.root = Reference::Root::tasks;
      node.reference.task = TaskId(*part);
      node.reference.name.clear();
      auto outputs = parse_part("the task's id");
      if (!outputs) return fail(outputs.error());
      if (*outputs != "outputs") return wrong("of a task only .outputs can be read", start);
      if (follows_part()) {
        auto name = parse_part("outputs");
        if (!name) return fail(name.error());
        node.reference.name = *name;
      }
    }
    return parse_path(std::move(node));
  }

  bool follows_part() {
    skip_space();
    if (at_ >= text_.size()) return false;
    return text_[at_] == '.' || text_[at_] == '[';
  }

  Result<NodePtr> parse_path(Node node) {
    while (follows_part()) {
      if (text_[at_] == '.') {
        const int start = column();
        auto part = parse_part("a name");
        if (!part) return fail(part.error());
        node.children.push_back(std::make_shared<const Node>(Node{.column = start, .literal = *part}));
        continue;
      }
      ++at_;
      auto index = parse_or();
      if (!index) return index;
      if (!take("]")) return wrong("expected ]");
      node.children.push_back(*index);
    }
    return finish(std::move(node));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

bool is_status_function(std::string_view name) {
  const Function* function = find_function(name);
  return function != nullptr && function->status;
}

Result<Expression> parse_expression(std::string_view text) {
  auto root = Parser(text).parse();
  if (!root) return fail(root.error());
  return Expression(std::move(*root));
}

}  // namespace conductorai::core
