#pragma once
// POSIX files with our errors.

#include <filesystem>
#include <string>
#include <string_view>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

/// What `errno` says about `where`.
std::unexpected<Error> failed(std::string what, const std::filesystem::path& where);

class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File();
  /// The flags of open(2); O_CLOEXEC is added. Not open on failure: `errno` tells.
  static File open(const std::filesystem::path& path, int flags);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  /// False with `errno` on failure; all or nothing is not promised.
  bool write(std::string_view bytes);
  /// Up to `size` bytes appended to `out`; false with `errno` on failure. Nothing appended: the end.
  bool read(std::string& out, std::size_t size);
  bool sync();

 private:
  int fd_;
};

/// For reading. Never follows a symbolic link, so that nobody who may write in a folder makes us read what he may not.
/// Errors: not_found, invalid_argument (not a regular file), permission_denied.
Result<File> open_regular(const std::filesystem::path& path);

/// Makes entries of the folder durable.
bool sync_directory(const std::filesystem::path& directory);

}  // namespace conductorai::infrastructure
