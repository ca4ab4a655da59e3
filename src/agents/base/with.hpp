#pragma once
// Reading an agent's `with`: the loader has checked it already where it held no expression; what expressions gave is checked here.

#include <map>
#include <string>
#include <string_view>

#include "conductorai/base_agent.hpp"

namespace conductorai::agents {

/// Errors: invalid_argument naming the key, for a missing, unknown or mistyped one.
Result<void> check_with(const AgentDescription& description, const Object& with);

[[nodiscard]] std::string text_of(const Object& with, std::string_view key, std::string otherwise = {});
[[nodiscard]] bool flag_of(const Object& with, std::string_view key, bool otherwise);
/// A mapping of scalars as text, as commands get it in their environment.
[[nodiscard]] std::map<std::string, std::string> texts_of(const Object& with, std::string_view key);

}  // namespace conductorai::agents
