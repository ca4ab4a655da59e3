#pragma once
// The prompt of the devops agent. A changed wording gets a new version, and with it a new file name.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace conductorai::agents {

/// prompts/*.md by file name: "devops.v1.md".
const std::map<std::string_view, std::string_view>& devops_prompts();

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
