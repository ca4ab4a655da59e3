#pragma once
// The /etc that sandboxed programs see: small files in a folder made once, because every mount costs each run; large folders are mounted on
// it.

#include <filesystem>
#include <string_view>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

class EtcFolder {
 public:
  /// Below `parent`, under a name of our own; what dead processes left there is removed. Errors: resource_exhausted.
  static Result<EtcFolder> make(const std::filesystem::path& parent);
  EtcFolder() = default;
  EtcFolder(EtcFolder&& other) noexcept { *this = std::move(other); }
  EtcFolder& operator=(EtcFolder&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(folders_, other.folders_);
    return *this;
  }
  ~EtcFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }  // empty: not made
  /// Folders of the machine's /etc to be mounted over the empty ones of the same names.
  [[nodiscard]] const std::vector<std::filesystem::path>& folders() const { return folders_; }

 private:
  void take(const std::filesystem::path& name);
  std::filesystem::path path_;
  std::vector<std::filesystem::path> folders_;
};

/// Removes entries "<prefix><pid>…" of `folder` whose process is gone.
void remove_leftovers(const std::filesystem::path& folder, std::string_view prefix);

}  // namespace conductorai::infrastructure
