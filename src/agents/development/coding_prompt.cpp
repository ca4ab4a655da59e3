#include "agents/base/answer_files.hpp"
#include "agents/base/prompt_parts.hpp"
#include "agents/development/prompts.hpp"

namespace conductorai::agents {

Prompt coding_prompt(const CodingMaterial& material) {
  Prompt prompt;
  prompt.system =
      "You are the programmer of a team. Change the repository so that it meets the requirement, completely and in its present style. "
      "Keep to what AGENTS.md says where there is one. Where findings of earlier rounds are given, mend what they show. "
      "Never delete or weaken tests, and leave protected paths alone: such an answer is refused whole. Your work is judged by "
      "running it, not by what you say of it.\n";
  prompt.system += data_notice();
  prompt.system += file_blocks_format();
  prompt.user = std::string(material.requirement) + std::string(material.item) + std::string(material.agents_md) +
                std::string(material.findings) + std::string(material.files);
  return prompt;
}

}  // namespace conductorai::agents
