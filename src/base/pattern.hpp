#pragma once
// Regular expressions on text that others wrote: Perl syntax, matched without recursion and with bounded effort.

#include <memory>
#include <string>
#include <string_view>

#include "conductorai/result.hpp"

namespace conductorai {

/// Errors: invalid_argument.
Result<void> check_pattern(const std::string& pattern);
/// Errors: invalid_argument when it is no pattern, or too complex for this text.
Result<bool> pattern_found(const std::string& pattern, std::string_view text);

/// One that is searched for many times.
class Pattern {
 public:
  /// Errors: invalid_argument.
  static Result<Pattern> compile(const std::string& pattern, bool ignore_case);
  /// Errors: invalid_argument when it is too complex for this text.
  [[nodiscard]] Result<bool> found_in(std::string_view text) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace conductorai
