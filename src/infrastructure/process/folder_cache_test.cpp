#include "infrastructure/process/folder_cache.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_folder.hpp"

namespace conductorai::infrastructure {
namespace {

class Folders : public ::testing::Test {
 protected:
  std::filesystem::path open(const std::string& key, std::int64_t bytes_max = 100 << 10) {
    auto folder = FolderCache({.root = root.path(), .uid = ::geteuid(), .gid = ::getegid()}, root.path() / "kept", bytes_max).open(key);
    EXPECT_TRUE(folder) << to_string(folder.error());
    return folder.value_or("");
  }
  static void fill(const std::filesystem::path& folder, std::size_t bytes) {
    std::filesystem::create_directories(folder / "a");
    std::ofstream(folder / "a" / "file") << std::string(bytes, 'x');
  }
  [[nodiscard]] bool kept(const std::string& key) const { return std::filesystem::exists(root.path() / "kept" / key / "a" / "file"); }

  testing::TempFolder root{"folders"};
};

TEST_F(Folders, AreFoundAgainByTheirKey) {
  fill(open("one"), 10);
  EXPECT_TRUE(std::filesystem::is_empty(open("two")));
  EXPECT_TRUE(std::filesystem::exists(open("one") / "a" / "file"));
}

TEST_F(Folders, MakeRoomByRemovingTheOneOpenedLongestAgo) {
  for (const char* key : {"one", "two", "three"}) fill(open(key), 40 << 10);
  open("one");
  open("four");
  EXPECT_TRUE(kept("one"));
  EXPECT_FALSE(kept("two"));
  EXPECT_TRUE(kept("three"));
}

TEST_F(Folders, KeepTheOneInUseThoughItIsTooLarge) {
  fill(open("one"), 400 << 10);
  open("one");
  EXPECT_TRUE(kept("one"));
  open("two");
  EXPECT_FALSE(kept("one"));
}

TEST_F(Folders, OfASizeOfNothingAreRefused) {
  const auto none = FolderCache({.root = root.path()}, root.path() / "kept", 0).open("one");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace conductorai::infrastructure
