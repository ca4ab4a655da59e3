#pragma once
// Regular expressions on text that others wrote: Perl syntax, matched without recursion and with bounded effort.

#include <string>
#include <string_view>

#include "conductorai/result.hpp"

namespace conductorai {

/// Errors: invalid_argument.
Result<void> check_pattern(const std::string& pattern);
/// Errors: invalid_argument when it is no pattern, or too complex for this text.
Result<bool> pattern_found(const std::string& pattern, std::string_view text);

}  // namespace conductorai
