#pragma once
// The prompts of the development agents, one file each. A changed wording gets a new version: it is part of what a recorded answer answers.

#include <string>
#include <string_view>

namespace conductorai::agents {

struct Prompt {
  std::string system;
  std::string user;
};

inline constexpr int kCodingPromptVersion = 1;
struct CodingMaterial {
  std::string_view requirement, agents_md, findings, files, item;  // blocks, as prompt_parts.hpp makes them
};
Prompt coding_prompt(const CodingMaterial& material);

inline constexpr int kReviewPromptVersion = 1;
struct ReviewMaterial {
  std::string_view requirement, agents_md, diff;
};
Prompt review_prompt(const ReviewMaterial& material);
/// JSON Schema of a review.
std::string_view review_schema();

inline constexpr int kTestDataPromptVersion = 1;
struct TestDataMaterial {
  std::string_view requirement, findings, files, item;
};
Prompt test_data_prompt(const TestDataMaterial& material);

}  // namespace conductorai::agents
