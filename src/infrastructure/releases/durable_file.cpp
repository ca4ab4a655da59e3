#include "infrastructure/releases/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

std::unexpected<Error> file_error(const std::string& what, const fs::path& path, int error) {
  const ErrorCode code = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMFILE || error == ENFILE
                             ? ErrorCode::resource_exhausted
                         : error == EACCES || error == EPERM || error == EROFS ? ErrorCode::permission_denied
                         : error == ENOENT || error == ENOTDIR                 ? ErrorCode::not_found
                                                                               : ErrorCode::unavailable;
  return fail(code, what + ": " + std::strerror(error), path.string(),
              code == ErrorCode::resource_exhausted ? "make room on the disk" : "");
}

namespace {

/// 0, or errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int sync_folder(const fs::path& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0 ? 0 : errno;
}

class TreeCopy {
 public:
  explicit TreeCopy(std::int64_t bytes_max) : left_(bytes_max) {}

  Result<void> folder(const fs::path& from, const fs::path& to) {
    if (::mkdir(to.c_str(), 0755) != 0) return file_error("cannot make a folder of the release", to, errno);
    std::error_code error;
    for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error))
      if (auto copied = entry(*it, to / it->path().filename()); !copied) return copied;
    if (error) return file_error("cannot read the release's files", from, error.value());
    if (const int failed = sync_folder(to); failed != 0) return file_error("cannot keep a folder of the release", to, failed);
    return {};
  }

 private:
  Result<void> entry(const fs::directory_entry& from, const fs::path& to) {
    std::error_code error;
    const auto status = from.symlink_status(error);
    if (fs::is_symlink(status)) {
      fs::copy_symlink(from.path(), to, error);
      if (error) return file_error("cannot copy a link of the release", to, error.value());
      return {};
    }
    if (fs::is_directory(status)) return folder(from.path(), to);
    if (fs::is_regular_file(status)) return file(from.path(), to);
    return {};
  }

  Result<void> file(const fs::path& from, const fs::path& to) {
    const UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info{};
    if (!in || ::fstat(in.get(), &info) != 0) return file_error("cannot read a file of the release", from, errno);
    // Readable for the sandbox's user, whatever the mask; never writable for others.
    const UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!out) return file_error("cannot write a file of the release", to, errno);
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return file_error("cannot read a file of the release", from, errno);
      if (got == 0) break;
      left_ -= got;
      if (left_ < 0)
        return fail(ErrorCode::resource_exhausted, "the release's files are larger than its disk limit", from.string(),
                    "raise sandbox.disk, or keep large files out of the release");
      if (const int failed = write_all(out.get(), {buffer.data(), static_cast<std::size_t>(got)}); failed != 0)
        return file_error("cannot write a file of the release", to, failed);
    }
    if (::fchmod(out.get(), (info.st_mode & 0755) | 0600) != 0 || ::fsync(out.get()) != 0)
      return file_error("cannot keep a file of the release", to, errno);
    return {};
  }

  std::int64_t left_;
};

}  // namespace

Result<void> write_durably(const fs::path& file, std::string_view bytes) {
  const fs::path aside = file.string() + ".new";
  const UniqueFd fd(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return file_error("cannot write", aside, errno);
  int failed = write_all(fd.get(), bytes);
  if (failed == 0 && ::fsync(fd.get()) != 0) failed = errno;
  if (failed == 0 && ::rename(aside.c_str(), file.c_str()) != 0) failed = errno;
  if (failed == 0) failed = sync_folder(file.parent_path());
  if (failed == 0) return {};
  ::unlink(aside.c_str());
  return file_error("cannot write", file, failed);
}

Result<void> copy_tree(const fs::path& from, const fs::path& to, std::int64_t bytes_max) {
  std::error_code error;
  if (!fs::is_directory(from, error)) return fail(ErrorCode::not_found, "the release's files are not there", from.string());
  const fs::path aside = to.string() + ".new";
  fs::remove_all(aside, error);
  fs::remove_all(to, error);
  auto copied = TreeCopy(bytes_max).folder(from, aside);
  if (copied && ::rename(aside.c_str(), to.c_str()) != 0) copied = file_error("cannot name the release's files", to, errno);
  if (copied) {
    if (const int failed = sync_folder(to.parent_path()); failed != 0) copied = file_error("cannot keep the release's files", to, failed);
  }
  if (!copied) fs::remove_all(aside, error);
  return copied;
}

}  // namespace conductorai::infrastructure::releases
