#pragma once
// GitHub Actions workflows, compose files and Kubernetes manifests against their schemas.

#include <string>
#include <string_view>

#include "agents/devops/checks.hpp"

namespace conductorai::agents {

/// A strict YAML parser, then the schema of the kind, then what schemas cannot say: jobs and services that others need are there, a
/// Deployment selects its own pods. Kinds of manifests without a schema here are named in `depth`.
FileCheck check_yaml_file(std::string path, DeliveryKind kind, std::string_view content);

}  // namespace conductorai::agents
