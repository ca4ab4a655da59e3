#pragma once
// A folder of the test's own, removed with it.

#include <filesystem>
#include <string>
#include <string_view>

namespace conductorai::testing {

class TempFolder {
 public:
  explicit TempFolder(std::string_view purpose = "test");
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void write_file(const std::filesystem::path& file, std::string_view bytes);  // makes the folders on the way
std::string read_file(const std::filesystem::path& file);                    // empty when it is not there

}  // namespace conductorai::testing
