#include "infrastructure/sandbox/disk_usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <memory>
#include <string_view>

namespace conductorai::infrastructure {

namespace {

constexpr std::int64_t kEntryBytes = 512;
constexpr int kDepthMax = 200;  // one descriptor a level; nothing sensible is deeper

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

Folder open_folder(int parent, const char* name) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return Folder(fd < 0 ? nullptr : ::fdopendir(fd));
}

struct Walk {
  timespec since;
  std::int64_t enough;
  dev_t device = 0;
  DiskUsage usage;

  void folder(const Folder& open, int depth) {
    if (!open || depth > kDepthMax) {
      usage.complete = false;
      return;
    }
    while (const dirent* entry = ::readdir(open.get())) {
      if (usage.bytes > enough) return;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") item(::dirfd(open.get()), entry->d_name, depth);
    }
  }
  [[nodiscard]] bool touched(const struct stat& info) const {
    const timespec& at = info.st_ctim;
    return at.tv_sec > since.tv_sec || (at.tv_sec == since.tv_sec && at.tv_nsec >= since.tv_nsec);
  }
  void item(int parent, const char* name, int depth) {
    struct stat info{};
    if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || info.st_dev != device) return;
    if (touched(info)) usage.bytes += info.st_blocks * 512 / static_cast<std::int64_t>(info.st_nlink) + kEntryBytes;
    if (S_ISDIR(info.st_mode)) folder(open_folder(parent, name), depth + 1);
  }
};

}  // namespace

timespec file_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

DiskUsage disk_usage(const std::filesystem::path& root, timespec since, std::int64_t enough) {
  struct stat info{};
  if (::lstat(root.c_str(), &info) != 0) return {};
  Walk walk{.since = since, .enough = enough, .device = info.st_dev, .usage = {}};
  walk.folder(open_folder(AT_FDCWD, root.c_str()), 0);
  return walk.usage;
}

std::int64_t file_system_used(const std::filesystem::path& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return -1;
  return static_cast<std::int64_t>((info.f_blocks - info.f_bfree) * info.f_frsize);
}

}  // namespace conductorai::infrastructure
