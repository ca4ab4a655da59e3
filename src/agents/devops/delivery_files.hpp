#pragma once
// Which files of a tree are about delivery: what this agent may write, and what it checks.

#include <optional>
#include <string>
#include <string_view>

namespace conductorai::agents {

enum class DeliveryKind { dockerfile, workflow, compose, manifest };
/// "Dockerfile", "GitHub Actions workflow", "compose file", "Kubernetes manifest"
std::string_view to_string(DeliveryKind kind);
/// The name of a kind in `with.targets`: dockerfile, ci, compose, kubernetes.
std::string_view target_of(DeliveryKind kind);

/// What a file is by its path; nothing for all that is not checked. Samples below test, fixture and vendor folders are not.
std::optional<DeliveryKind> kind_of(std::string_view path);
/// The same, a YAML file with `apiVersion` and `kind` at its top being a manifest wherever it lies.
std::optional<DeliveryKind> kind_of(std::string_view path, std::string_view content);

/// Whether an answer may write this file: delivery only. Source code and tests were judged already and stay as they are.
bool may_be_written(std::string_view path, std::string_view content);

}  // namespace conductorai::agents
