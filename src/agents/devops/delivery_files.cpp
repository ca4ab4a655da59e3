#include "agents/devops/delivery_files.hpp"

#include <algorithm>
#include <array>

#include "evidence/integrity.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_yaml(std::string_view path) {
  return path.ends_with(".yml") || path.ends_with(".yaml");
}

template <std::size_t N>
bool has_folder(std::string_view path, const std::array<std::string_view, N>& names) {
  while (true) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    if (std::ranges::find(names, path.substr(0, slash)) != names.end()) return true;
    path.remove_prefix(slash + 1);
  }
}

constexpr std::array<std::string_view, 9> kSamples{"node_modules", "vendor", "third_party", "fixtures", "testdata",
                                                   "test",         "tests",  "__tests__",   "templates"};
constexpr std::array<std::string_view, 4> kManifests{"k8s", "kubernetes", "manifests", "kube"};
constexpr std::array<std::string_view, 10> kDelivery{"k8s",        "kubernetes", "manifests", "kube",  "deploy",
                                                     "deployment", "docker",     "ops",       "infra", ".github"};

bool is_dockerfile(std::string_view name) {
  for (const std::string_view base : {"Dockerfile", "Containerfile"})
    if (name == base || (name.starts_with(base) && name[base.size()] == '.')) return name != "Dockerfile.dockerignore";
  return name.ends_with(".Dockerfile") || name.ends_with(".dockerfile");
}

bool is_compose(std::string_view name) {
  return is_yaml(name) && (name.starts_with("compose.") || name.starts_with("docker-compose."));
}

bool names_manifest(std::string_view content) {
  bool version = false, kind = false;
  for (const auto line : evidence::lines_of(content)) {
    version = version || line.starts_with("apiVersion:");
    kind = kind || line.starts_with("kind:");
  }
  return version && kind;
}

}  // namespace

std::string_view to_string(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::dockerfile: return "Dockerfile";
    case DeliveryKind::workflow: return "GitHub Actions workflow";
    case DeliveryKind::compose: return "compose file";
    case DeliveryKind::manifest: return "Kubernetes manifest";
  }
  return "";
}

std::string_view target_of(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::dockerfile: return "dockerfile";
    case DeliveryKind::workflow: return "ci";
    case DeliveryKind::compose: return "compose";
    case DeliveryKind::manifest: return "kubernetes";
  }
  return "";
}

std::optional<DeliveryKind> kind_of(std::string_view path) {
  constexpr std::string_view kWorkflows = ".github/workflows/";
  if (has_folder(path, kSamples)) return std::nullopt;
  const auto name = name_of(path);
  if (is_dockerfile(name)) return DeliveryKind::dockerfile;
  if (path.starts_with(kWorkflows) && is_yaml(path) && path.find('/', kWorkflows.size()) == std::string_view::npos)
    return DeliveryKind::workflow;
  if (is_compose(name)) return DeliveryKind::compose;
  if (is_yaml(path) && has_folder(path, kManifests)) return DeliveryKind::manifest;
  return std::nullopt;
}

std::optional<DeliveryKind> kind_of(std::string_view path, std::string_view content) {
  if (const auto known = kind_of(path)) return known;
  if (is_yaml(path) && !has_folder(path, kSamples) && names_manifest(content)) return DeliveryKind::manifest;
  return std::nullopt;
}

bool may_be_written(std::string_view path, std::string_view content) {
  if (evidence::is_test_path(path)) return false;
  const auto name = name_of(path);
  if (kind_of(path, content) || name == ".dockerignore" || name.ends_with(".dockerignore") || name == "Procfile" || name == ".env.example")
    return true;
  static constexpr std::array<std::string_view, 9> kEndings{".yml", ".yaml", ".json", ".md", ".conf", ".toml", ".env", ".service", ".sh"};
  return has_folder(path, kDelivery) && std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace conductorai::agents
