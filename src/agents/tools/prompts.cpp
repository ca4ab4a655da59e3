#include "agents/tools/prompts.hpp"

namespace conductorai::agents {

std::string tools_prompt() {
  return "\n" + std::string(tool_prompts().at("tools.v1.md"));
}

}  // namespace conductorai::agents
