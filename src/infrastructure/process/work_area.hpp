#pragma once
// Where worktrees and scratch folders live, and who must own what is in them, so that the sandbox's user can reach them.

#include <sys/types.h>

#include <filesystem>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

/// The user that sandboxed commands run as when we are root. A number without a passwd entry: nothing else on the machine belongs to it.
inline constexpr uid_t kServiceUser = 64738;

/// `root`: "/var/lib/conductorai/work" when we are root (other users cannot pass through /root), else "<state_dir>/work".
/// Every file of a worktree and every scratch folder belongs to `uid`:`gid`; as root, chown what was made (`give_to`).
struct WorkArea {
  std::filesystem::path root;
  uid_t uid = 0;
  gid_t gid = 0;
  bool drops_privileges = false;  // we are root and `uid` is the service user
};

/// Makes no folder.
WorkArea work_area(const std::filesystem::path& state_dir);
/// The same, with `root` made: mode 0700, owned by `uid`. Errors: permission_denied, resource_exhausted.
Result<WorkArea> make_work_area(const std::filesystem::path& state_dir);
/// Gives `path` and all below it to the area's user; follows no symlink. Does nothing unless `drops_privileges`.
Result<void> give_to(const WorkArea& area, const std::filesystem::path& path);

}  // namespace conductorai::infrastructure
