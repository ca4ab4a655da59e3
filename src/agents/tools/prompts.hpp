#pragma once
// The words that go with tools: prompts/*.md, embedded. A changed wording gets a new version, and with it a new file name.

#include <map>
#include <string>
#include <string_view>

namespace conductorai::agents {

/// By file name: "tools.v1.md".
const std::map<std::string_view, std::string_view>& tool_prompts();

/// What a system prompt says of the tools.
std::string tools_prompt();

}  // namespace conductorai::agents
