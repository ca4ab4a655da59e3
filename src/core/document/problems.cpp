#include "core/document/problems.hpp"

#include <fmt/format.h>

namespace conductorai::core::document {

namespace {

std::string path_text(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& part : path) {
    if (!text.empty() && !part.starts_with('[')) text += '.';
    text += part.size() > 80 ? part.substr(0, 77) + "..." : part;
  }
  return text;
}

}  // namespace

void Problems::add(Position at, std::string message, std::string hint) {
  if (const std::string path = path_text(path_); !path.empty()) message = path + ": " + message;
  Error error{.code = ErrorCode::invalid_argument,
              .message = std::move(message),
              .where = fmt::format("{}:{}:{}", file_, at.line, at.column),
              .hint = std::move(hint)};
  found_.emplace(at, std::move(error));
}

void Problems::expected(const Node& node, std::string_view what, std::string hint) {
  add(node.at, fmt::format("expected {}, found {}", what, describe(node)), std::move(hint));
}

std::vector<Error> Problems::take() {
  std::vector<Error> errors;
  std::size_t more = 0;
  for (auto& [at, error] : found_) {
    if (!errors.empty() && errors.back() == error) continue;
    if (errors.size() == max_)
      ++more;
    else
      errors.push_back(std::move(error));
  }
  if (more > 0) errors.back().hint += fmt::format("{}and {} more problems", errors.back().hint.empty() ? "" : "; ", more);
  found_.clear();
  return errors;
}

}  // namespace conductorai::core::document
