#include "cli/project.hpp"

#include <fstream>

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

template <class Holds>
fs::path nearest(const fs::path& from, Holds holds) {
  for (fs::path at = from;; at = at.parent_path()) {
    if (holds(at)) return at;
    if (at == at.parent_path()) return {};
  }
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// The folder with info/ of the repository whose checkout is `top`: also of linked worktrees, where `.git` is a file.
fs::path common_git_dir(const fs::path& top) {
  std::error_code error;
  fs::path git = top / ".git";
  if (fs::is_directory(git, error)) return git;
  const std::string line = first_line(git);
  constexpr std::string_view kPrefix = "gitdir: ";
  if (!line.starts_with(kPrefix)) return {};
  git = top / line.substr(kPrefix.size());
  const std::string common = first_line(git / "commondir");
  return common.empty() ? git : git / common;
}

}  // namespace

Project find_project(const fs::path& from, const fs::path& state_dir) {
  std::error_code error;
  fs::path start = fs::weakly_canonical(fs::absolute(from, error), error);
  if (start.empty()) start = from;
  fs::path root = nearest(start, [](const fs::path& at) {
    return is_there(at / ".conductorai") || is_there(at / "conductorai.yaml") || is_there(at / ".git");
  });
  Project project{.root = root.empty() ? start : root, .state_dir = {}};
  project.state_dir =
      state_dir.empty() ? project.root / ".conductorai" : fs::weakly_canonical(fs::absolute(start / state_dir, error), error);
  return project;
}

void exclude_from_git(const fs::path& state_dir) {
  const fs::path top = nearest(state_dir.parent_path(), [](const fs::path& at) { return is_there(at / ".git"); });
  if (top.empty()) return;
  const fs::path git = common_git_dir(top);
  std::error_code error;
  if (git.empty() || !fs::is_directory(git, error)) return;
  const std::string wanted = "/" + state_dir.lexically_relative(top).generic_string() + "/";
  const fs::path file = git / "info" / "exclude";
  bool ends_in_newline = true;
  {
    std::ifstream in(file, std::ios::binary);
    std::string line;
    while (std::getline(in, line)) {
      if (line == wanted) return;
      ends_in_newline = !in.eof();
    }
  }
  fs::create_directories(file.parent_path(), error);
  std::ofstream out(file, std::ios::binary | std::ios::app);
  out << (ends_in_newline ? "" : "\n") << wanted << "\n";
}

}  // namespace conductorai::cli
