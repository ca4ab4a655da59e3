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

/// Small made-up files (passwd, group, …): content by path.
struct MadeFile {
  std::string path;
  std::string content;
};
std::vector<MadeFile> made_files();

struct InsideDescriptors {  // as bubblewrap sees them
  int status = -1;
  int block = -1;
  int seccomp = -1;
  int first_made_file = -1;  // one each, in the order of made_files()
};

/// bubblewrap's options in order, without the program. Errors: invalid_argument (no such workspace, relative or forbidden mounts).
Result<std::vector<std::string>> bubblewrap_args(const SandboxCommand& command, const InsideDescriptors& descriptors);

}  // namespace conductorai::infrastructure
