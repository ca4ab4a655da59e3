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
  prompt.system =
      "You prepare the delivery of the software in the repository. Its code and tests are finished and judged: leave them as they are, an "
      "answer that touches them is refused whole. Write:\n" +
      wanted(material.targets) +
      "Every file is checked by a parser against its published schema, and the project's build is run; your words are not. Use the "
      "commands "
      "given, invent none. Where findings of earlier rounds are given, mend what they show.\n";
  prompt.system += data_notice();
  prompt.system += file_blocks_format();
  prompt.user = std::string(material.requirement) + std::string(material.item) + std::string(material.commands) +
                std::string(material.agents_md) + std::string(material.findings) + std::string(material.files);
  return prompt;
}

}  // namespace conductorai::agents
