// What is kept on the disk: the record, the log, the copies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "infrastructure/releases/app_folder.hpp"
#include "infrastructure/releases/app_state.hpp"
#include "infrastructure/releases/durable_file.hpp"
#include "infrastructure/releases/service_log.hpp"
#include "infrastructure/releases/settings.hpp"

namespace conductorai::infrastructure::releases {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "releases-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  static void put(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }
  static std::string content(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return std::move(text).str();
  }
  fs::path root;
};

TEST_F(Files, ARecordComesBackAsItWasWritten) {
  AppState state{.app = "shop", .environment = "default", .port = 4242, .next = 3};
  state.releases.push_back({.id = "a/1", .slug = "0001", .driver = "process", .run = "x", .state = ReleaseState::previous});
  state.releases.push_back({.id = "a/2", .slug = "0002", .driver = "process", .run = "y", .state = ReleaseState::serving});
  ASSERT_TRUE(save_state(root / "state.json", state));
  auto read = load_state(root / "state.json");
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->port, 4242);
  EXPECT_EQ(read->serving()->id, "a/2");
  EXPECT_EQ(read->previous()->id, "a/1");
  EXPECT_FALSE(fs::exists(root / "state.json.new"));
}

TEST_F(Files, ARecordOfANewerVersionIsRefused) {
  put(root / "state.json", R"({"format":99,"app":"a"})");
  auto read = load_state(root / "state.json");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::unsupported);
  put(root / "state.json", "{");
  EXPECT_EQ(load_state(root / "state.json").error().code, ErrorCode::data_corrupted);
}

TEST_F(Files, ACopyHasModesAndLinksAndNoSpecialFiles) {
  fs::create_directories(root / "from/sub");
  put(root / "from/run.sh", "x");
  fs::permissions(root / "from/run.sh", fs::perms(0755));
  fs::create_symlink("run.sh", root / "from/sub/link");
  ASSERT_EQ(::mkfifo((root / "from/pipe").c_str(), 0600), 0);
  auto copied = copy_tree(root / "from", root / "to", 1 << 20);
  ASSERT_TRUE(copied) << to_string(copied.error());
  EXPECT_EQ(fs::status(root / "to/run.sh").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::read_symlink(root / "to/sub/link"), "run.sh");
  EXPECT_FALSE(fs::exists(root / "to/pipe"));
}

TEST_F(Files, FilesLargerThanTheDiskLimitAreRefusedAndLeaveNothing) {
  fs::create_directories(root / "from");
  put(root / "from/large", std::string(100'000, 'x'));
  auto copied = copy_tree(root / "from", root / "to", 50'000);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::resource_exhausted);
  EXPECT_FALSE(fs::exists(root / "to"));
  EXPECT_FALSE(fs::exists(root / "to.new"));
}

TEST_F(Files, AFloodedLogStaysWithinItsBounds) {
  ServiceLog log(root / "logs/log", {.file_bytes = 10'000, .files = 3});
  for (int n = 0; n < 5'000; ++n) log.add("line " + std::to_string(n) + " of a flood of words\n");
  std::uintmax_t bytes = 0;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(root / "logs")) bytes += entry.file_size(), ++files;
  EXPECT_EQ(files, 3);
  EXPECT_LE(bytes, 30'000U);
  EXPECT_GT(log.total(), 100'000);
  const std::string newest = read_log(root / "logs/log", 15'000);
  EXPECT_LE(newest.size(), 15'000U);
  EXPECT_TRUE(newest.ends_with("line 4999 of a flood of words\n"));
  EXPECT_TRUE(newest.starts_with("line "));
  EXPECT_THAT(log.last_words(), HasSubstr("line 4997"));
}

TEST(SafeName, TellsNamesApartThatLookAlikeOnDisk) {
  EXPECT_EQ(safe_name("url-shortener"), "url-shortener");
  EXPECT_NE(safe_name("a b"), safe_name("a_b"));
  EXPECT_NE(safe_name("a/b"), safe_name("a:b"));
  EXPECT_EQ(safe_name("../../etc").find('/'), std::string::npos);
  EXPECT_LE(safe_name(std::string(5000, 'x')).size(), 100U);
  EXPECT_NE(safe_name("."), ".");
}

TEST(Settings, TakeDurationsAndNumbersAndRefuseTheRest) {
  auto settings = read_settings({{"drain", "250ms"}, {"restarts", 2}, {"driver", "process"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->drain, Milliseconds(250));
  EXPECT_EQ(settings->restarts_max, 2);
  for (const Object& bad : {Object{{"drain", 5}}, Object{{"drain", "5"}}, Object{{"drain", "48h"}}, Object{{"restarts", -1}},
                            Object{{"log-files", 0}}, Object{{"restart-backoff", "0ms"}}})
    EXPECT_EQ(read_settings(bad).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace conductorai::infrastructure::releases
