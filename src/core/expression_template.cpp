// Text with ${{ }} in it.

#include "core/expression.hpp"

#include <algorithm>

namespace conductorai::core {
namespace {

/// One piece of a text: as it stands, or the inside of a `${{ }}`.
struct Piece {
  bool expression = false;
  std::string_view text;
  std::size_t offset = 0;  // of `text` in the whole
};

/// Where the `}}` of an expression is that starts at `from`; braces inside its quotes do not count.
std::size_t find_end(std::string_view text, std::size_t from) {
  bool quoted = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;
    if (!quoted && text.substr(i).starts_with("}}")) return i;
  }
  return std::string_view::npos;
}

Result<std::vector<Piece>> split(std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = text.find("${{", at);
    if (start != at) pieces.push_back({false, text.substr(at, start - at), at});
    if (start == std::string_view::npos) break;
    const std::size_t end = find_end(text, start + 3);
    if (end == std::string_view::npos)
      return fail(ErrorCode::invalid_argument, "the expression is wrong: ${{ without }}", "column " + std::to_string(start + 1));
    pieces.push_back({true, text.substr(start + 3, end - start - 3), start + 3});
    at = end + 2;
  }
  return pieces;
}

/// An expression counts columns from its own start; people look for them in the text they wrote.
Error moved(Error error, std::size_t offset) {
  constexpr std::string_view prefix = "column ";
  if (error.where.starts_with(prefix))
    error.where = std::string(prefix) + std::to_string(std::stoul(error.where.substr(prefix.size())) + offset);
  return error;
}

Result<Value> evaluate_piece(const Piece& piece, const Scope& scope) {
  auto expression = parse_expression(piece.text);
  if (!expression) return fail(moved(expression.error(), piece.offset));
  auto value = evaluate(*expression, scope);
  if (!value) return fail(moved(value.error(), piece.offset));
  return value;
}

}  // namespace

Result<Value> evaluate_template(std::string_view text, const Scope& scope) {
  auto pieces = split(text);
  if (!pieces) return fail(pieces.error());
  if (pieces->size() == 1 && pieces->front().expression) return evaluate_piece(pieces->front(), scope);
  std::string out;
  for (const Piece& piece : *pieces) {
    if (!piece.expression) {
      out += piece.text;
      continue;
    }
    auto value = evaluate_piece(piece, scope);
    if (!value) return value;
    out += to_text(*value);
  }
  return Value(std::move(out));
}

Result<Value> evaluate_templates(const Value& value, const Scope& scope) {
  if (const auto* text = value.as_string()) return evaluate_template(*text, scope);
  if (const Array* list = value.as_array()) {
    Array out;
    for (const Value& item : *list) {
      auto evaluated = evaluate_templates(item, scope);
      if (!evaluated) return evaluated;
      out.push_back(std::move(*evaluated));
    }
    return Value(std::move(out));
  }
  if (const Object* object = value.as_object()) {
    Object out;
    for (const auto& [key, item] : *object) {
      auto evaluated = evaluate_templates(item, scope);
      if (!evaluated) return evaluated;
      out.emplace(key, std::move(*evaluated));
    }
    return Value(std::move(out));
  }
  return value;
}

namespace {
bool holds_template(const Value& value) {
  if (const auto* text = value.as_string()) return text->find("${{") != std::string::npos;
  if (const Array* list = value.as_array()) return std::ranges::any_of(*list, [](const Value& item) { return holds_template(item); });
  const Object* object = value.as_object();
  return object != nullptr && core::holds_template(*object);
}
}  // namespace

bool holds_template(const Object& object) {
  return std::ranges::any_of(object, [](const auto& member) { return holds_template(member.second); });
}

Result<std::vector<Reference>> list_template_references(std::string_view text) {
  auto pieces = split(text);
  if (!pieces) return fail(pieces.error());
  std::vector<Reference> out;
  for (const Piece& piece : *pieces) {
    if (!piece.expression) continue;
    auto expression = parse_expression(piece.text);
    if (!expression) return fail(moved(expression.error(), piece.offset));
    for (Reference& reference : list_references(*expression)) {
      reference.column += static_cast<int>(piece.offset);
      out.push_back(std::move(reference));
    }
  }
  return out;
}

Result<std::vector<Reference>> list_template_references(const Value& value) {
  std::vector<Reference> out;
  const auto add = [&out](const Result<std::vector<Reference>>& found) { out.insert(out.end(), found->begin(), found->end()); };
  if (const auto* text = value.as_string()) return list_template_references(std::string_view(*text));
  if (const Array* list = value.as_array())
    for (const Value& item : *list) {
      auto found = list_template_references(item);
      if (!found) return found;
      add(found);
    }
  if (const Object* object = value.as_object())
    for (const auto& [key, item] : *object) {
      auto found = list_template_references(item);
      if (!found) return found;
      add(found);
    }
  return out;
}

}  // namespace conductorai::core
