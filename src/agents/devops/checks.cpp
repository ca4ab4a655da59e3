#include "agents/devops/checks.hpp"

#include "agents/devops/dockerfile.hpp"
#include "agents/devops/yaml_checks.hpp"

namespace conductorai::agents {

FileCheck check_delivery_file(std::string path, DeliveryKind kind, std::string_view content) {
  if (kind == DeliveryKind::dockerfile) return check_dockerfile(std::move(path), content);
  return check_yaml_file(std::move(path), kind, content);
}

}  // namespace conductorai::agents
