#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agents/base/command_record.hpp"

namespace conductorai::agents {
namespace {

struct Descriptor {
  explicit Descriptor(int opened) : fd(opened) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd;
};

int open_beneath(int folder, const std::filesystem::path& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;  // a planted FIFO must not hold us up
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

std::optional<std::string> read_up_to(int fd, std::int64_t bytes_max) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  const auto limit = static_cast<std::size_t>(std::min<std::int64_t>(info.st_size, bytes_max));
  std::string content(limit, '\0');
  std::size_t have = 0;
  while (have < limit) {
    const ssize_t got = ::read(fd, content.data() + have, limit - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  content.resize(have);
  return content;
}

}  // namespace

std::optional<std::string> collect_file(const std::vector<Mount>& mounts, const std::filesystem::path& file, std::int64_t bytes_max) {
  for (const Mount& mount : mounts) {
    const auto relative = file.lexically_relative(mount.host);
    if (!mount.writable || relative.empty() || *relative.begin() == "..") continue;
    const Descriptor folder(::open(mount.host.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder.fd < 0) continue;
    const Descriptor opened(open_beneath(folder.fd, relative));
    if (opened.fd >= 0) return read_up_to(opened.fd, bytes_max);
  }
  return std::nullopt;
}

}  // namespace conductorai::agents
