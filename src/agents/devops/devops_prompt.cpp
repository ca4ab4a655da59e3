#include "agents/devops/devops_prompt.hpp"

#include "agents/base/answer_files.hpp"
#include "agents/base/prompt_parts.hpp"

namespace conductorai::agents {
namespace {

std::string wanted(const std::vector<std::string>& targets) {
  std::string text;
  for (const std::string& target : targets) {
    if (target == "dockerfile")
      text += "- a Dockerfile (and a .dockerignore): small, pinned base, runs as an ordinary user, exec-form CMD, port from $PORT\n";
    if (target == "ci") text += "- a GitHub Actions workflow under .github/workflows that builds and tests on push and pull request\n";
    if (target == "compose") text += "- a compose.yaml after the Compose Specification, without the obsolete `version`\n";
    if (target == "kubernetes") text += "- Kubernetes manifests under k8s/: Deployment with probes and resource limits, Service\n";
  }
  return text;
}

}  // namespace

DevopsPrompt devops_prompt(const DevopsMaterial& material) {
  DevopsPrompt prompt;
  prompt.system = filled_prompt(devops_prompts().at("devops.v1.md"), {{"wanted", wanted(material.targets)},
                                                                      {"data_notice", std::string(data_notice())},
                                                                      {"file_blocks", std::string(file_blocks_format())}});
  prompt.user = std::string(material.requirement) + std::string(material.item) + std::string(material.commands) +
                std::string(material.agents_md) + std::string(material.findings) + std::string(material.files);
  return prompt;
}

}  // namespace conductorai::agents
