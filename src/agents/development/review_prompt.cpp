#include "agents/base/prompt_parts.hpp"
#include "agents/development/prompts.hpp"

namespace conductorai::agents {

Prompt review_prompt(const ReviewMaterial& material) {
  Prompt prompt;
  prompt.system = filled_prompt(development_prompts().at("review.v1.md"),
                                {{"data_notice", std::string(data_notice())}, {"schema", std::string(review_schema())}});
  prompt.user = std::string(material.requirement) + std::string(material.agents_md) + std::string(material.diff);
  return prompt;
}

std::string_view review_schema() {
  return R"({"type":"object","required":["findings"],"properties":{"summary":{"type":"string"},"findings":{"type":"array","items":{)"
         R"("type":"object","required":["severity","message"],"properties":{"severity":{"enum":["info","warning","error","critical"]},)"
         R"("file":{"type":["string","null"]},"line":{"type":["integer","null"]},"message":{"type":"string"}}}}}})";
}

}  // namespace conductorai::agents
