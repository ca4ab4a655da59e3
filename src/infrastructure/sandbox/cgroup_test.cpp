#include "infrastructure/sandbox/cgroup.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace conductorai::infrastructure {
namespace {

namespace fs = std::filesystem;

/// A folder that looks like /sys/fs/cgroup as far as files go: what a kernel would make in a new group must be there before.
class CgroupFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) / ("cgroup-" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_;
};

TEST_F(CgroupFiles, IsNoneWithoutAHierarchy) {
  EXPECT_EQ(Cgroup::make(root_, "0::/\n", "run", {1, 1}), nullptr);
  EXPECT_EQ(Cgroup::make(root_, "", "run", {1, 1}), nullptr);
  EXPECT_EQ(Cgroup::make("/no/such/folder", "0::/a\n8:pids:/\n4:memory:/x\n", "run", {1, 1}), nullptr);
}

TEST_F(CgroupFiles, IsNoneWhereTheControllersAreNotDelegated) {
  std::ofstream(root_ / "cgroup.subtree_control") << "cpu memory\n";
  EXPECT_EQ(Cgroup::make(root_, "0::/\n", "run", {1, 1}), nullptr);
  EXPECT_FALSE(fs::exists(root_ / "run"));
}

TEST_F(CgroupFiles, LeavesNothingBehindWhenALimitCannotBeSet) {
  std::ofstream(root_ / "cgroup.subtree_control") << "cpu memory pids\n";
  EXPECT_EQ(Cgroup::make(root_, "0::/\n", "run", {1, 1}), nullptr);
  EXPECT_FALSE(fs::exists(root_ / "run"));
}

TEST_F(CgroupFiles, RemovesOnlyWhatTheDeadLeft) {
  std::ofstream(root_ / "cgroup.subtree_control") << "memory pids\n";
  fs::create_directories(root_ / "conductorai-999999999-1");
  fs::create_directories(root_ / ("conductorai-" + std::to_string(::getpid()) + "-1"));
  fs::create_directories(root_ / "other");
  remove_dead_cgroups(root_, "0::/\n");
  EXPECT_FALSE(fs::exists(root_ / "conductorai-999999999-1"));
  EXPECT_TRUE(fs::exists(root_ / ("conductorai-" + std::to_string(::getpid()) + "-1")));
  EXPECT_TRUE(fs::exists(root_ / "other"));
}

TEST(Cgroup, OfThisMachineTakesItsLimitsAndGoesAway) {
  auto group = make_run_cgroup("conductorai-" + std::to_string(::getpid()) + "-test", {64 << 20, 10});
  if (!group) GTEST_SKIP() << "no writable cgroup here";
  EXPECT_TRUE(group->version() == 1 || group->version() == 2);
  EXPECT_EQ(group->tasks().empty(), group->version() == 2);
  EXPECT_EQ(group->folder() < 0, group->version() == 1);
  EXPECT_FALSE(group->out_of_memory());
  EXPECT_FALSE(group->out_of_tasks());
}

}  // namespace
}  // namespace conductorai::infrastructure
