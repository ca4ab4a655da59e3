#include "agents/base/answer_files.hpp"
#include "agents/base/prompt_parts.hpp"
#include "agents/development/prompts.hpp"

namespace conductorai::agents {

Prompt test_data_prompt(const TestDataMaterial& material) {
  Prompt prompt;
  prompt.system = filled_prompt(development_prompts().at("test_data.v1.md"),
                                {{"data_notice", std::string(data_notice())}, {"file_blocks", std::string(file_blocks_format())}});
  prompt.user = std::string(material.requirement) + std::string(material.item) + std::string(material.agents_md) +
                std::string(material.findings) + std::string(material.files);
  return prompt;
}

}  // namespace conductorai::agents
