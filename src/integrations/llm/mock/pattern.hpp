#pragma once
// Regular expressions of a script: Perl syntax, matched without recursion, so that a long prompt cannot exhaust the stack.

#include <string>

#include "conductorai/result.hpp"

namespace conductorai::integrations {

/// Errors: invalid_argument.
Result<void> check_pattern(const std::string& pattern);
/// Errors: invalid_argument when the pattern is too complex for this text.
Result<bool> pattern_found(const std::string& pattern, const std::string& text);

}  // namespace conductorai::integrations
