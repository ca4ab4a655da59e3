#pragma once
// The prompt of the devops agent. A changed wording gets a new version: it is part of what a recorded answer answers.

#include <string>
#include <string_view>
#include <vector>

namespace conductorai::agents {

inline constexpr int kDevopsPromptVersion = 1;
struct DevopsMaterial {
  std::vector<std::string> targets;  // dockerfile, ci, compose, kubernetes
  std::string_view requirement, commands, agents_md, findings, files, item;
};
struct DevopsPrompt {
  std::string system;
  std::string user;
};
DevopsPrompt devops_prompt(const DevopsMaterial& material);

}  // namespace conductorai::agents
