#pragma once
// Ordinals of steps: "3"; "3.0", "3.1" for calls side by side and follow-ups; "3f1" for the second model asked the same.

#include <string_view>

namespace conductorai::core {

/// In program order: "2" before "10", "3" before "3f1" before "3.0" before "3.0f1".
bool ordinal_before(std::string_view a, std::string_view b);

}  // namespace conductorai::core
