#pragma once
// The release bundle: the files of a workspace as one reproducible archive, and the sums of what is in it (docs/formats/bundle.md).

#include <cstdint>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/workspace.hpp"

namespace conductorai::agents {

struct BundledFile {
  std::string path;
  std::string sha256;  // hex; empty for a symlink
  std::int64_t size = 0;
};

struct Bundle {
  std::string tar;
  std::vector<BundledFile> files;  // as they stand in the archive, sorted by path
};

/// The workspace's files, tracked and new; ignored ones and `.git` are left out. The same files give the same bytes.
/// Errors: invalid_argument (more than `bytes_max`), permission_denied (a symlink that leaves the workspace, what is no file; `where`
/// names it), unavailable.
task<Result<Bundle>> make_bundle(Workspace& workspace, std::int64_t bytes_max);

/// Lines for `sha256sum --check` in the unpacked folder; symlinks have none.
std::string checksums(const std::vector<BundledFile>& files);

}  // namespace conductorai::agents
