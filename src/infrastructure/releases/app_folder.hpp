#pragma once
// AppFolder: where an app keeps its releases, and the lock that says whether its supervisor lives. docs/formats/releases.md.

#include <filesystem>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure::releases {

class AppFolder {
 public:
  /// "<state_dir>/releases/<name>". Makes nothing.
  AppFolder(std::filesystem::path state_dir, std::string name);
  static AppFolder of(const std::filesystem::path& state_dir, const std::string& app, const std::string& environment);
  /// Those that are there.
  static std::vector<AppFolder> all(const std::filesystem::path& state_dir);

  Result<void> make() const;

  [[nodiscard]] const std::filesystem::path& state_dir() const { return state_dir_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path state_file() const { return path_ / "state.json"; }
  [[nodiscard]] std::filesystem::path socket() const { return path_ / "socket"; }
  [[nodiscard]] std::filesystem::path log(const std::string& slug) const { return path_ / slug / "log"; }
  /// In the work area: the sandbox's user must come there.
  [[nodiscard]] std::filesystem::path files(const std::string& slug) const { return files_root_ / slug; }
  [[nodiscard]] const std::filesystem::path& files_root() const { return files_root_; }

  /// The supervisor's lock: held until its death. Invalid descriptor: another holds it. Errors: unavailable, permission_denied.
  [[nodiscard]] Result<UniqueFd> lock() const;
  /// Whether anybody holds it; takes nothing.
  [[nodiscard]] bool supervised() const;

 private:
  std::filesystem::path state_dir_;
  std::string name_;
  std::filesystem::path path_;
  std::filesystem::path files_root_;
};

/// A name for a folder that tells `text` and nothing else: letters, digits, "-", "_" and "." stay, anything else costs a suffix.
std::string safe_name(const std::string& text);

}  // namespace conductorai::infrastructure::releases
