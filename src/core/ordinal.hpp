#pragma once
// Ordinals of steps: "3", and "3.0", "3.1" for calls side by side.

#include <string_view>

namespace conductorai::core {

/// In program order: "2" before "10", "3" before "3.0".
bool ordinal_before(std::string_view a, std::string_view b);

}  // namespace conductorai::core
