#pragma once
// What a project depends on, read from its own lists: exact versions from lock files, else what the manifest asks for.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conductorai::agents {

struct Dependency {
  std::string ecosystem;  // as in package URLs: pypi, npm, golang, cargo
  std::string name;
  std::string version;  // exact; empty where the list names none
  std::string wanted;   // as the manifest says it (">=2,<3"), where there is no exact version
  std::string source;   // the file it stands in
  friend auto operator<=>(const Dependency&, const Dependency&) = default;
};

/// Lists that `dependencies_of` reads, at any depth of the tree.
bool is_dependency_list(std::string_view path);
/// Sorted, each once. Where a folder has a lock file, its manifest is passed over. What cannot be read gives nothing.
std::vector<Dependency> dependencies_of(const std::vector<std::string>& lists,
                                        const std::function<std::optional<std::string>(const std::string&)>& read);

/// "pkg:pypi/flask@3.0.0"
std::string package_url(const Dependency& dependency);

}  // namespace conductorai::agents
