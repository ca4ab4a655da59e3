#pragma once
// OwnerLock: proof of life of an owner. A file it holds an OS lock on: freed by its death, not by SIGSTOP, and never taken again by
// another, so "free once" means "dead for good".

#include <filesystem>
#include <string>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

class OwnerLock {
 public:
  /// `directory` exists. Nothing is made before the first `hold`.
  explicit OwnerLock(std::filesystem::path directory);
  OwnerLock(const OwnerLock&) = delete;
  OwnerLock& operator=(const OwnerLock&) = delete;
  ~OwnerLock();

  /// Makes and locks the file on first use. Errors: unavailable, permission_denied, resource_exhausted.
  Result<void> hold();
  /// "<pid>-<random>.lock", from the start and from any thread.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Tells whoever watches the directory that something this owner wrote has changed; its death tells them too (the file is closed).
  void touch() noexcept;

  /// False once the holder is dead, or when there never was such a file.
  static bool alive(const std::filesystem::path& directory, const std::string& name);
  /// REQUIRES: not alive.
  static void remove(const std::filesystem::path& directory, const std::string& name);

 private:
  std::filesystem::path directory_;
  const std::string name_;
  int fd_ = -1;
};

}  // namespace conductorai::infrastructure
