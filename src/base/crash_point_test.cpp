#include "base/crash_point.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

namespace conductorai {
namespace {

// The child is this binary again: the environment is read once, at its start.
int run_hits(const char* at, const std::string& mark, int hits) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("CONDUCTORAI_CRASH_AT", at, 1);
    ::setenv("CONDUCTORAI_CRASH_MARK", mark.c_str(), 1);
    ::setenv("CRASH_POINT_TEST_HITS", std::to_string(hits).c_str(), 1);
    ::execl("/proc/self/exe", "base_test", "--gtest_filter=CrashPointChild.*", nullptr);
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(CrashPointChild, HitsAPointAsOftenAsItIsTold) {
  const char* hits = ::getenv("CRASH_POINT_TEST_HITS");
  if (hits == nullptr) return;
  for (int i = 0; i < std::atoi(hits); ++i) crash_point("journal.before_commit");
}

TEST(CrashPoint, KillsAtTheHitThatWasNamedAndLeavesItsMark) {
  const auto mark = std::filesystem::temp_directory_path() / ("crash-mark-" + std::to_string(::getpid()));
  EXPECT_EQ(run_hits("journal.before_commit:3", mark, 2), 0);
  EXPECT_FALSE(std::filesystem::exists(mark));
  EXPECT_EQ(run_hits("journal.before_commit:3", mark, 3), SIGKILL);
  EXPECT_TRUE(std::filesystem::remove(mark));
  EXPECT_EQ(run_hits("journal.before_commit", mark, 1), SIGKILL);
  EXPECT_TRUE(std::filesystem::remove(mark));
  EXPECT_EQ(run_hits("journal.after_commit", mark, 5), 0);
}

TEST(CrashPoint, NamesAreListedOnce) {
  const auto names = crash_point_names();
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
}

}  // namespace
}  // namespace conductorai
