#include "infrastructure/workspace/workspace_path.hpp"

#include <gtest/gtest.h>

namespace conductorai::infrastructure {
namespace {

std::optional<ErrorCode> refusal(std::string_view path) {
  auto parts = split_workspace_path(path);
  return parts ? std::nullopt : std::optional(parts.error().code);
}

TEST(WorkspacePath, SplitsPlainPaths) {
  EXPECT_EQ(*split_workspace_path("a.py"), std::vector<std::string>{"a.py"});
  EXPECT_EQ(*split_workspace_path("./src//x/./y.c"), (std::vector<std::string>{"src", "x", "y.c"}));
  EXPECT_EQ(*split_workspace_path("ordner/ü ö.txt"), (std::vector<std::string>{"ordner", "ü ö.txt"}));
}

TEST(WorkspacePath, RefusesWhatLeavesTheWorkspace) {
  for (const char* path : {"/etc/passwd", "../x", "a/../../x", "a/..", "..", "a\\..\\..\\x", "//x"})
    EXPECT_EQ(refusal(path), ErrorCode::permission_denied) << path;
  EXPECT_EQ(refusal(std::string_view("a\0b", 3)), ErrorCode::permission_denied);
}

TEST(WorkspacePath, RefusesEveryDisguiseOfGit) {
  for (const char* path : {".git",
                           ".git/config",
                           "a/.git/hooks/post-commit",
                           ".GIT/config",
                           ".Git",
                           ".git.",
                           ".git ",
                           ".git. . ",
                           "git~1",
                           "GIT~1/x",
                           ".g\u200cit",
                           ".gi\u200dt/x",
                           "\ufeff.git",
                           ".git\u2060",
                           ".g\u00adit",
                           ".git::$INDEX_ALLOCATION",
                           "a\\.git\\x",
                           "\uff0egit",
                           ".ｇｉｔ/config",
                           ".git\ufe0f"})
    EXPECT_EQ(refusal(path), ErrorCode::permission_denied) << path;
  for (const char* path : {".gitignore", ".gitattributes", ".github/workflows/ci.yml", "git", "x.git", ".gitx", "git~10", "…/a"})
    EXPECT_EQ(refusal(path), std::nullopt) << path;
}

TEST(WorkspacePath, RefusesWhatNamesNoFileOrIsTooLong) {
  for (const char* path : {"", ".", "./", "a/", "a/b/"}) EXPECT_EQ(refusal(path), ErrorCode::invalid_argument) << path;
  EXPECT_EQ(refusal(std::string(256, 'a')), ErrorCode::invalid_argument);
  std::string longest;
  for (int i = 0; i < 2100; ++i) longest += "a/";
  EXPECT_EQ(refusal(longest + "b"), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(std::string(255, 'a')), std::nullopt);
}

TEST(ProtectedGlob, KeepsStarsInsideAComponent) {
  EXPECT_TRUE(matches_glob("*.py", "a.py"));
  EXPECT_FALSE(matches_glob("*.py", "d/a.py"));
  EXPECT_TRUE(matches_glob("tests/*", "tests/a"));
  EXPECT_FALSE(matches_glob("tests/*", "tests/d/a"));
  EXPECT_TRUE(matches_glob("a?c", "abc"));
  EXPECT_TRUE(matches_glob("a?c", "aüc"));
  EXPECT_FALSE(matches_glob("a?c", "ac"));
  EXPECT_FALSE(matches_glob("a?c", "a/c"));
}

TEST(ProtectedGlob, LetsDoubleStarsCrossFolders) {
  EXPECT_TRUE(matches_glob("tests/acceptance/**", "tests/acceptance/deep/x.py"));
  EXPECT_FALSE(matches_glob("tests/acceptance/**", "tests/other/x.py"));
  EXPECT_TRUE(matches_glob("**/x.py", "x.py"));
  EXPECT_TRUE(matches_glob("**/x.py", "a/b/x.py"));
  EXPECT_TRUE(matches_glob("a/**/z", "a/z"));
  EXPECT_TRUE(matches_glob("a/**/z", "a/b/c/z"));
  EXPECT_FALSE(matches_glob("a/**/z", "a/b/c/y"));
  EXPECT_TRUE(matches_glob("**", "anything/at/all"));
}

TEST(ProtectedGlob, CoversWhatLiesBelowAPlainName) {
  EXPECT_TRUE(matches_glob("tests/acceptance", "tests/acceptance/x/y"));
  EXPECT_TRUE(matches_glob("./tests/acceptance/", "tests/acceptance/x"));
  EXPECT_FALSE(matches_glob("tests/acceptance", "tests/acceptance2/x"));
  EXPECT_FALSE(matches_glob("", "x"));
}

TEST(ProtectedGlob, StaysFastOnHostilePatterns) {
  std::string pattern, path;
  for (int i = 0; i < 200; ++i) pattern += "**/a*a*a*b/", path += "aaaaaaaaaaaaaaaaaaaa/";
  EXPECT_FALSE(matches_glob(pattern + "z", path + "y"));
}

}  // namespace
}  // namespace conductorai::infrastructure
