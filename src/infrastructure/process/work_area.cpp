#include "infrastructure/process/work_area.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

std::unexpected<Error> refused(const std::string& what, const fs::path& path, int error) {
  const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::resource_exhausted : ErrorCode::permission_denied;
  return fail(code, what + ": " + std::strerror(error), path.string());
}

}  // namespace

WorkArea work_area(const fs::path& state_dir) {
  if (::geteuid() == 0) return {"/var/lib/conductorai/work", kServiceUser, kServiceUser, true};
  return {fs::absolute(state_dir) / "work", ::geteuid(), ::getegid(), false};
}

Result<WorkArea> make_work_area(const fs::path& state_dir) {
  WorkArea area = work_area(state_dir);
  std::error_code error;
  fs::create_directories(area.root, error);
  if (error) return refused("cannot make the work area", area.root, error.value());
  if (::chmod(area.root.c_str(), 0700) != 0) return refused("cannot set the mode of the work area", area.root, errno);
  if (area.drops_privileges && ::lchown(area.root.c_str(), area.uid, area.gid) != 0)
    return refused("cannot give the work area to its user", area.root, errno);
  return area;
}

Result<void> give_to(const WorkArea& area, const fs::path& path) {
  if (!area.drops_privileges) return {};
  if (::lchown(path.c_str(), area.uid, area.gid) != 0) return refused("cannot change the owner", path, errno);
  if (!fs::is_directory(fs::symlink_status(path))) return {};
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    if (::lchown(it->path().c_str(), area.uid, area.gid) != 0) return refused("cannot change the owner", it->path(), errno);
  if (error) return refused("cannot walk", path, error.value());
  return {};
}

}  // namespace conductorai::infrastructure
