#include "infrastructure/artifacts/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace conductorai::infrastructure {

namespace {
ErrorCode code_of(int number) {
  switch (number) {
    case ENOENT: return ErrorCode::not_found;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::permission_denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return ErrorCode::resource_exhausted;
    default: return ErrorCode::unavailable;
  }
}
}  // namespace

std::unexpected<Error> failed(std::string what, const std::filesystem::path& where) {
  const int number = errno;
  const ErrorCode code = code_of(number);
  std::string hint;
  if (code == ErrorCode::resource_exhausted) hint = "free space on the disk of the state directory";
  if (code == ErrorCode::permission_denied) hint = "make it accessible, or choose another state directory with --state-dir";
  return fail(code, what + ": " + std::strerror(number), where, std::move(hint));
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

File File::open(const std::filesystem::path& path, int flags) {
  return File(::open(path.c_str(), flags | O_CLOEXEC, 0644));
}

bool File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool File::read(std::string& out, std::size_t size) {
  const std::size_t before = out.size();
  out.resize(before + size);
  ssize_t got = 0;
  do got = ::read(fd_, out.data() + before, size);
  while (got < 0 && errno == EINTR);
  const int number = errno;
  out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  errno = number;
  return got >= 0;
}

bool File::sync() {
  return ::fdatasync(fd_) == 0;
}

Result<File> open_regular(const std::filesystem::path& path) {
  File file = File::open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);  // a FIFO must not hold us up
  if (!file.is_open() && errno != ELOOP) return failed("cannot open the file", path);
  struct stat found = {};
  if (!file.is_open() || ::fstat(file.fd(), &found) != 0 || !S_ISREG(found.st_mode))
    return fail(ErrorCode::invalid_argument, "this is not a regular file", path);
  return file;
}

bool sync_directory(const std::filesystem::path& directory) {
  const File folder = File::open(directory, O_RDONLY | O_DIRECTORY);
  return folder.is_open() && ::fsync(folder.fd()) == 0;
}

}  // namespace conductorai::infrastructure
