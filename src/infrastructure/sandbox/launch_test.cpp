#include "infrastructure/sandbox/launch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure {
namespace {

using ::testing::HasSubstr;

std::string output_of(LaunchSpec spec) {
  auto pipe = make_pipe();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  spec.descriptors = {null.get(), pipe->write.get(), pipe->write.get()};
  auto pid = launch(spec);
  pipe->write.reset();
  if (!pid) return to_string(pid.error());
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(pipe->read.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  ::waitpid(*pid, nullptr, 0);
  return text;
}

LaunchSpec shell(const std::string& text) {
  LaunchSpec spec;
  spec.program = "/bin/sh";
  spec.argv = {"sh", "-c", text};
  spec.environment = {"PATH=/usr/bin:/bin", "ONE=1"};
  return spec;
}

TEST(Launch, GivesDescriptorsEnvironmentAndFolder) {
  auto spec = shell("ls /proc/self/fd | tr '\\n' ' '; pwd; env");
  spec.working_directory = "/usr";
  const std::string text = output_of(spec);
  EXPECT_THAT(text, HasSubstr("0 1 2 3 /usr\n"));
  EXPECT_THAT(text, HasSubstr("ONE=1"));
}

TEST(Launch, PlacesDescriptorsThatAreInEachOthersWay) {
  auto first = make_pipe();
  auto second = make_pipe();
  LaunchSpec spec = shell("echo one >&3; echo two >&4; echo three >&5");
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  spec.descriptors = {null.get(), null.get(), null.get(), second->write.get(), first->write.get(), second->write.get()};
  auto pid = launch(spec);
  ASSERT_TRUE(pid);
  ::waitpid(*pid, nullptr, 0);
  char buffer[64];
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(::read(first->read.get(), buffer, sizeof buffer))), "two\n");
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(::read(second->read.get(), buffer, sizeof buffer))), "one\nthree\n");
}

TEST(Launch, PlacesDescriptorsWhereverTheyAre) {
  auto pipe = make_pipe();
  for (int high = 95; high < 110; ++high) {
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const UniqueFd moved(::fcntl(pipe->write.get(), F_DUPFD_CLOEXEC, high));
    LaunchSpec spec = shell("echo here >&3");
    spec.descriptors = {null.get(), null.get(), null.get(), moved.get()};
    auto pid = launch(spec);
    ASSERT_TRUE(pid) << to_string(pid.error());
    ::waitpid(*pid, nullptr, 0);
    char buffer[64];
    EXPECT_EQ(::read(pipe->read.get(), buffer, sizeof buffer), 5);
  }
}

TEST(Launch, DropsToTheUserWithoutGroupsAndSetsLimits) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can change its user";
  auto spec = shell("id -u; id -G; ulimit -n; ulimit -c");
  spec.user = RunAs{64738, 64738};
  spec.limits = {{RLIMIT_NOFILE, 123}, {RLIMIT_CORE, 0}};
  EXPECT_EQ(output_of(spec), "64738\n64738\n123\n0\n");
}

/// A fresh group below the machine's version 2 hierarchy, empty where none can be made.
std::filesystem::path fresh_group() {
  for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    const std::filesystem::path folder = std::filesystem::path(root) / ("launch-test-" + std::to_string(::getpid()));
    if (::access((std::filesystem::path(root) / "cgroup.controllers").c_str(), F_OK) == 0 && ::mkdir(folder.c_str(), 0755) == 0)
      return folder;
  }
  return {};
}

TEST(Launch, IsBornInItsGroupOfVersion2) {
  const auto group = fresh_group();
  if (group.empty()) GTEST_SKIP() << "no writable cgroup of version 2 here";
  {
    const UniqueFd folder(::open(group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto spec = shell("cat /proc/self/cgroup; ls /proc/self/fd | tr '\\n' ' '");
    spec.cgroup_folder = folder.get();
    const std::string text = output_of(spec);
    EXPECT_THAT(text, HasSubstr("0::/" + group.filename().string() + "\n"));
    EXPECT_THAT(text, HasSubstr("\n0 1 2 3 "));
  }
  EXPECT_EQ(::rmdir(group.c_str()), 0);
}

TEST(Launch, NamesTheGroupItCouldNotJoin) {
  const UniqueFd elsewhere(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto spec = shell("true");
  spec.cgroup_folder = elsewhere.get();
  auto pid = launch(spec);
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().where, "cgroup");
}

TEST(Launch, NamesWhatFailed) {
  LaunchSpec spec;
  spec.program = "/no/such/program";
  spec.argv = {"x"};
  auto missing = launch(spec);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);

  spec = shell("true");
  spec.working_directory = "/no/such/folder";
  auto folder = launch(spec);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().where, "folder");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a failed start leaves no zombie";
}

TEST(Launch, GivesDefaultSignalsAndAnEmptyMask) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string text = output_of(shell("grep -E 'SigBlk|SigIgn' /proc/self/status"));
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

}  // namespace
}  // namespace conductorai::infrastructure
