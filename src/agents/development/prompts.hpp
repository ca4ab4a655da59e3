#pragma once
// The prompts of the development agents: prompts/*.md, embedded. A changed wording gets a new version, and with it a new file name.

#include <map>
#include <string>
#include <string_view>

namespace conductorai::agents {

/// By file name: "coding.v1.md".
const std::map<std::string_view, std::string_view>& development_prompts();

struct Prompt {
  std::string system;
  std::string user;
};

struct CodingMaterial {
  std::string_view requirement, agents_md, findings, files, item;  // blocks, as prompt_parts.hpp makes them
};
Prompt coding_prompt(const CodingMaterial& material);

struct ReviewMaterial {
  std::string_view requirement, agents_md, diff;
};
Prompt review_prompt(const ReviewMaterial& material);
/// JSON Schema of a review.
std::string_view review_schema();

struct TestDataMaterial {
  std::string_view requirement, agents_md, findings, files, item;
};
Prompt test_data_prompt(const TestDataMaterial& material);

}  // namespace conductorai::agents
