#pragma once
// Immutable files by digest: `<root>/sha256/ab/cdef…`. A file has its name only once its bytes are on disk. Blocking; one thread.

#include <filesystem>
#include <string>

#include "conductorai/ids.hpp"
#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

struct Blob {
  Digest digest;
  std::int64_t size = 0;
};

class BlobFiles {
 public:
  explicit BlobFiles(std::filesystem::path root) : root_(std::move(root)) {}
  /// Makes the folders and clears what a crash left half-written. Errors: permission_denied, unavailable, resource_exhausted.
  Result<void> open();

  Result<Blob> put(std::string_view bytes);
  /// Errors: also not_found, invalid_argument (not a regular file; a symbolic link is none).
  Result<Blob> put_file(const std::filesystem::path& file);
  /// Errors: not_found, data_corrupted.
  Result<std::string> get(const Digest& digest) const;
  Result<void> get_to_file(const Digest& digest, const std::filesystem::path& file) const;
  /// Errors: not_found.
  Result<Blob> find(const Digest& digest) const;
  /// Returns the bytes freed; 0 when it was not there.
  std::int64_t remove(const Digest& digest);

 private:
  [[nodiscard]] std::filesystem::path path_of(const Digest& digest) const;
  [[nodiscard]] bool has(const Blob& blob) const;
  Result<void> adopt(const std::filesystem::path& temporary, const Digest& digest);

  std::filesystem::path root_;
};

}  // namespace conductorai::infrastructure
