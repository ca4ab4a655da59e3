#pragma once
// Typed readings of a mapping inside `with`, with the key's whole path in every error.

#include <optional>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/time.hpp"
#include "conductorai/value.hpp"

namespace conductorai::agents {

/// Collects the first error; every reading after it answers with its default.
class WithReader {
 public:
  WithReader(const Object& object, std::string path) : object_(object), path_(std::move(path)) {}

  /// Unknown keys are an error with a suggestion.
  void allow(const std::vector<std::string>& keys);
  [[nodiscard]] const Value* find(std::string_view key) const;
  std::string text(std::string_view key);
  bool flag(std::string_view key);
  std::optional<double> number(std::string_view key, double low, double high);
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t low, std::int64_t high);
  std::optional<Milliseconds> duration(std::string_view key, Milliseconds low, Milliseconds high);
  std::optional<std::int64_t> size(std::string_view key);
  const Object* object(std::string_view key);
  const Array* array(std::string_view key);
  /// A list of texts, or one text.
  std::vector<std::string> texts(std::string_view key);

  void wrong(std::string_view key, std::string message, std::string hint = {});
  void take(Result<void> nested);
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] Result<void> result() const { return error_ ? Result<void>(std::unexpected(*error_)) : Result<void>{}; }
  [[nodiscard]] std::string path(std::string_view key) const { return key.empty() ? path_ : path_ + "." + std::string(key); }

 private:
  void expected(std::string_view key, std::string_view what);

  const Object& object_;
  std::string path_;
  std::optional<Error> error_;
};

}  // namespace conductorai::agents
