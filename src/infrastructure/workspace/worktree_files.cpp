#include "infrastructure/workspace/worktree_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/workspace/git_text.hpp"

namespace conductorai::infrastructure {

namespace {

std::unexpected<Error> failure(int error, const std::string& where) {
  switch (error) {
    case ENOENT: return fail(ErrorCode::not_found, "no such file", where);
    case ENOTDIR: return fail(ErrorCode::not_found, "a part of the path is no folder", where);
    case EISDIR: return fail(ErrorCode::invalid_argument, "this is a folder", where);
    case EACCES:
    case EPERM: return fail(ErrorCode::permission_denied, "the file is not accessible", where);
    case ENOSPC:
    case EDQUOT: return fail(ErrorCode::resource_exhausted, "no space left", where, "free some space and resume");
    case EMFILE:
    case ENFILE: return fail(ErrorCode::resource_exhausted, "too many open files", where);
    default: return fail(ErrorCode::unavailable, std::strerror(error), where);
  }
}

bool is_symlink(int folder, const std::string& name) {
  struct stat info{};
  return ::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode);
}

std::unexpected<Error> open_failure(int folder, const std::string& name, int error, const PathParts& path) {
  if (is_symlink(folder, name)) return fail(ErrorCode::permission_denied, "a path must not pass a symlink", joined(path));
  return failure(error, joined(path));
}

constexpr int kFolderFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_RDONLY;

Result<void> make_folder(int parent, const std::string& name, const WorkArea& area) {
  if (::mkdirat(parent, name.c_str(), 0777) != 0) return failure(errno, name);
  if (area.drops_privileges && ::fchownat(parent, name.c_str(), area.uid, area.gid, AT_SYMLINK_NOFOLLOW) != 0) return failure(errno, name);
  return {};
}

/// The folder that holds the last component, opened one component at a time.
Result<UniqueFd> open_parent(const std::filesystem::path& root, const PathParts& path, const WorkArea* make_for) {
  UniqueFd folder(::open(root.c_str(), kFolderFlags));
  if (!folder) return failure(errno, root.string());
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    int next = ::openat(folder.get(), path[i].c_str(), kFolderFlags);
    if (next < 0 && errno == ENOENT && make_for != nullptr) {
      if (auto made = make_folder(folder.get(), path[i], *make_for); !made) return fail(made.error());
      next = ::openat(folder.get(), path[i].c_str(), kFolderFlags);
    }
    if (next < 0) return open_failure(folder.get(), path[i], errno, path);
    folder.reset(next);
  }
  return folder;
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& where) {
  while (!bytes.empty()) {
    auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(errno, where);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string fresh_name() {
  static std::atomic<unsigned> counter{0};
  return ".conductorai-" + std::to_string(::getpid()) + "-" + std::to_string(++counter) + ".new";
}

/// The mode of the regular file that is to be replaced; 0666 less the umask for a new one.
Result<mode_t> mode_to_keep(int folder, const PathParts& path) {
  struct stat info{};
  if (::fstatat(folder, path.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return failure(errno, joined(path));
    return mode_t{0};
  }
  if (S_ISLNK(info.st_mode)) return fail(ErrorCode::permission_denied, "a path must not pass a symlink", joined(path));
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::invalid_argument, "this is no regular file", joined(path));
  return info.st_mode & 0777;
}

}  // namespace

Result<std::string> read_below(const std::filesystem::path& root, const PathParts& path) {
  auto folder = open_parent(root, path, nullptr);
  if (!folder) return fail(folder.error());
  // O_NONBLOCK: a planted FIFO must not hold us up.
  UniqueFd file(::openat(folder->get(), path.back().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return open_failure(folder->get(), path.back(), errno, path);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return failure(errno, joined(path));
  if (S_ISDIR(info.st_mode)) return failure(EISDIR, joined(path));
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::invalid_argument, "this is no regular file", joined(path));
  const auto too_big = [&] { return fail(ErrorCode::resource_exhausted, "the file is larger than 8 MiB", joined(path)); };
  if (info.st_size > kReadBytesMax) return too_big();
  std::string out(static_cast<std::size_t>(info.st_size) + 1, '\0');
  std::size_t used = 0;
  while (true) {
    auto got = ::read(file.get(), out.data() + used, out.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno, joined(path));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > static_cast<std::size_t>(kReadBytesMax)) return too_big();
    if (used == out.size()) out.resize(out.size() * 2);
  }
  out.resize(used);
  return out;
}

Result<void> write_below(const std::filesystem::path& root, const PathParts& path, std::string_view bytes, const WorkArea& area) {
  auto folder = open_parent(root, path, &area);
  if (!folder) return fail(folder.error());
  auto mode = mode_to_keep(folder->get(), path);
  if (!mode) return fail(mode.error());
  const std::string fresh = fresh_name();
  UniqueFd file(::openat(folder->get(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file) return failure(errno, joined(path));
  auto written = write_all(file.get(), bytes, joined(path));
  if (written && *mode != 0 && ::fchmod(file.get(), *mode) != 0) written = failure(errno, joined(path));
  if (written && area.drops_privileges && ::fchown(file.get(), area.uid, area.gid) != 0) written = failure(errno, joined(path));
  if (written && ::renameat(folder->get(), fresh.c_str(), folder->get(), path.back().c_str()) != 0) written = failure(errno, joined(path));
  if (!written) ::unlinkat(folder->get(), fresh.c_str(), 0);
  return written;
}

Result<void> remove_below(const std::filesystem::path& root, const PathParts& path) {
  PathParts left = path;
  auto folder = open_parent(root, left, nullptr);
  if (!folder) return fail(folder.error());
  if (::unlinkat(folder->get(), left.back().c_str(), 0) != 0) return failure(errno, joined(path));
  // As git does: folders that became empty go too.
  for (left.pop_back(); !left.empty(); left.pop_back()) {
    auto parent = open_parent(root, left, nullptr);
    if (!parent || ::unlinkat(parent->get(), left.back().c_str(), AT_REMOVEDIR) != 0) break;
  }
  return {};
}

}  // namespace conductorai::infrastructure
