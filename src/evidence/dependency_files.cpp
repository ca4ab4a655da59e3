#include "evidence/dependency_files.hpp"

#include <algorithm>
#include <array>
#include <iterator>
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

bool is_lock_file(std::string_view path) {
  const std::string_view name = leaf(path);
  const bool requirements = (name.starts_with("requirements") || name.starts_with("constraints")) && name.ends_with(".txt");  // of pip
  return requirements || std::ranges::find(kLocks, name) != kLocks.end();
}

}  // namespace

bool is_dependency_file(std::string_view path) {
  return is_lock_file(path) || std::ranges::find(kManifests, leaf(path)) != kManifests.end();
}

std::vector<std::string> dependency_files(const std::vector<std::string>& files) {
  if (std::ranges::none_of(files, is_lock_file)) return {};
  std::vector<std::string> found;
  std::ranges::copy_if(files, std::back_inserter(found), is_dependency_file);
  return found;
}

}  // namespace conductorai::evidence
