#include "agents/base/prompt_parts.hpp"
#include "agents/development/prompts.hpp"

namespace conductorai::agents {

Prompt review_prompt(const ReviewMaterial& material) {
  Prompt prompt;
  prompt.system =
      "You review a change. Report what is wrong with it: bugs, security holes, missed parts of the requirement, tests that cannot fail. "
      "One finding for one problem, at its file and line, with what happens and when. Severity `error` is for what must not be merged, "
      "`critical` for danger, `warning` for what should be better, `info` for remarks. No praise, no style matters that a formatter "
      "settles; "
      "an empty list is a good answer.\n";
  prompt.system += data_notice();
  prompt.system += "Answer with one JSON object that follows this schema, and nothing else:\n" + std::string(review_schema()) + "\n";
  prompt.user = std::string(material.requirement) + std::string(material.agents_md) + std::string(material.diff);
  return prompt;
}

std::string_view review_schema() {
  return R"({"type":"object","required":["findings"],"properties":{"summary":{"type":"string"},"findings":{"type":"array","items":{)"
         R"("type":"object","required":["severity","message"],"properties":{"severity":{"enum":["info","warning","error","critical"]},)"
         R"("file":{"type":["string","null"]},"line":{"type":["integer","null"]},"message":{"type":"string"}}}}}})";
}

}  // namespace conductorai::agents
