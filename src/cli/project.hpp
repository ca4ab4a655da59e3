#pragma once
// Where a project begins and where its state lives.

#include <filesystem>
#include <string>

#include "conductorai/result.hpp"

namespace conductorai::cli {

struct Project {
  std::filesystem::path root;       // what paths in workflow files are relative to
  std::filesystem::path state_dir;  // absolute
};

/// The nearest ancestor of `from` with `.conductorai`, `conductorai.yaml` or `.git`; `from` itself where there is none.
/// `state_dir` empty: ".conductorai" of the root.
Project find_project(const std::filesystem::path& from, const std::filesystem::path& state_dir);

/// Keeps the state directory out of `git status`, by the repository's own exclude file. What cannot be written is left alone.
void exclude_from_git(const std::filesystem::path& state_dir);

}  // namespace conductorai::cli
