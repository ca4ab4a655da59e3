#pragma once
// What a sandboxed program sees: the one place that decides it.

#include <string>
#include <vector>

#include "conductorai/sandbox.hpp"

namespace conductorai::infrastructure {

inline constexpr const char* kWorkspaceInside = "/workspace";
inline constexpr const char* kHomeInside = "/tmp/home";
inline constexpr const char* kPathInside = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
inline constexpr int kUserInside = 1000;

/// PATH, HOME, TMPDIR and LANG with `added` on top.
std::map<std::string, std::string> environment_inside(const std::map<std::string, std::string>& added);

struct Inside {
  int status = -1;  // descriptors as bubblewrap sees them
  int block = -1;
  int seccomp = -1;
  std::filesystem::path etc;                       // what /etc is to be
  std::vector<std::filesystem::path> etc_folders;  // mounted below it, each at its own path
};

/// bubblewrap's options in order, without the program. Errors: invalid_argument (no such workspace, relative or forbidden mounts).
Result<std::vector<std::string>> bubblewrap_args(const SandboxCommand& command, const Inside& inside);

}  // namespace conductorai::infrastructure
