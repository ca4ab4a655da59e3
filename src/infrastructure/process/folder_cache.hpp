#pragma once
// FolderCache: folders on this machine for what can be brought again (fetched dependencies), found by a key, the least used removed first.

#include <cstdint>
#include <filesystem>
#include <string>

#include "infrastructure/process/work_area.hpp"

namespace conductorai::infrastructure {

class FolderCache {
 public:
  /// Folders lie below `root` and belong to the area's user, so that sandboxed commands can write into them; `bytes_max` of them all.
  FolderCache(WorkArea area, std::filesystem::path root, std::int64_t bytes_max)
      : area_(std::move(area)), root_(std::move(root)), bytes_max_(bytes_max) {}

  /// The folder of `key` (a file name), empty where it is new. Makes room first: others go, those first that were opened longest ago, until
  /// what is kept is within the bound. A folder may vanish while a command uses it. Errors: unsupported (the bound is 0),
  /// permission_denied, resource_exhausted.
  Result<std::filesystem::path> open(const std::string& key) const;

 private:
  void make_room(const std::filesystem::path& opened) const;

  WorkArea area_;
  std::filesystem::path root_;
  std::int64_t bytes_max_;
};

}  // namespace conductorai::infrastructure
