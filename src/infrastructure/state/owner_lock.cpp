#include "infrastructure/state/owner_lock.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace conductorai::infrastructure {

namespace {

std::string fresh_name() {
  std::uint64_t random = 0;
  while (::getrandom(&random, sizeof random, 0) != sizeof random) {
  }
  char text[64];
  std::snprintf(text, sizeof text, "%d-%016llx.lock", ::getpid(), static_cast<unsigned long long>(random));
  return text;
}

std::unexpected<Error> failed(const std::filesystem::path& where) {
  const int number = errno;
  const ErrorCode code = number == EACCES || number == EPERM || number == EROFS ? ErrorCode::permission_denied
                         : number == ENOSPC || number == EDQUOT || number == EMFILE || number == ENFILE || number == ENOLCK
                             ? ErrorCode::resource_exhausted
                             : ErrorCode::unavailable;
  return fail(code, std::string("the owner's lock cannot be taken: ") + std::strerror(number), where,
              "the state directory must be a writable local directory; choose another with --state-dir");
}

struct flock whole_file() {
  return {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
}

}  // namespace

OwnerLock::OwnerLock(std::filesystem::path directory) : directory_(std::move(directory)), name_(fresh_name()) {}

OwnerLock::~OwnerLock() {
  if (fd_ < 0) return;
  remove(directory_, name_);
  ::close(fd_);
}

Result<void> OwnerLock::hold() {
  if (fd_ >= 0) return {};
  const auto hidden = directory_ / ("." + name_);
  const int fd = ::open(hidden.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return failed(hidden);
  struct flock lock = whole_file();
  // Locked before it has its name: under that name it is never seen free while its owner lives.
  if (::fcntl(fd, F_OFD_SETLK, &lock) != 0 || ::rename(hidden.c_str(), (directory_ / name_).c_str()) != 0) {
    auto error = failed(hidden);
    ::unlink(hidden.c_str());
    ::close(fd);
    return error;
  }
  fd_ = fd;
  return {};
}

void OwnerLock::touch() noexcept {
  if (fd_ >= 0) (void)!::pwrite(fd_, "+", 1, 0);
}

bool OwnerLock::alive(const std::filesystem::path& directory, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) return false;
  const int fd = ::open((directory / name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno != ENOENT;  // what we may not look at may well be alive
  struct flock lock = whole_file();
  const bool held = ::fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
  ::close(fd);
  return held;
}

void OwnerLock::remove(const std::filesystem::path& directory, const std::string& name) {
  if (!name.empty() && name.find('/') == std::string::npos) ::unlink((directory / name).c_str());
}

}  // namespace conductorai::infrastructure
