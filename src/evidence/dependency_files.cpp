#include "evidence/dependency_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace conductorai::evidence {
namespace {

constexpr std::array<std::string_view, 16> kLocks{
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock",     "poetry.lock",   "uv.lock",    "pdm.lock",
    "Pipfile.lock",      "Cargo.lock",          "go.sum",    "go.work.sum",    "Gemfile.lock", "composer.lock", "conan.lock", "mix.lock"};
constexpr std::array<std::string_view, 18> kManifests{
    "package.json", ".npmrc",        ".yarnrc.yml", "pnpm-workspace.yaml", "pyproject.toml", "setup.py",
    "setup.cfg",    "Pipfile",       "Cargo.toml",  "config.toml",         "go.mod",         "go.work",
    "Gemfile",      "composer.json", "mix.exs",     "vcpkg.json",          "conanfile.txt",  "conanfile.py"};

std::string_view leaf(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// requirements.txt and its kin: what pip users pin by.
bool is_requirements(std::string_view name) {
  return (name.starts_with("requirements") || name.starts_with("constraints")) && name.ends_with(".txt");
}

}  // namespace

std::vector<std::string> dependency_files(const std::vector<std::string>& files) {
  std::vector<std::string> found;
  bool pinned = false;
  for (const std::string& file : files) {
    const std::string_view name = leaf(file);
    const bool lock = std::ranges::find(kLocks, name) != kLocks.end() || is_requirements(name);
    if (lock || std::ranges::find(kManifests, name) != kManifests.end()) found.push_back(file);
    pinned = pinned || lock;
  }
  return pinned ? found : std::vector<std::string>{};
}

}  // namespace conductorai::evidence
