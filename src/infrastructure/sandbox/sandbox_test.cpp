#include <signal.h>

#include <chrono>

#include "infrastructure/sandbox/sandbox_fixture.hpp"

namespace conductorai::infrastructure {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class Bubblewrap : public SandboxFixture {};

TEST_F(Bubblewrap, GivesExitCodeOutputsAndWhoEnforced) {
  auto result = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(result) << to_string(result.error()) << result.error().hint;
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->signal, 0);
  EXPECT_EQ(result->out.text(), "out\n");
  EXPECT_EQ(result->err.text(), "err\n");
  EXPECT_THAT(result->enforced_by, HasSubstr("rlimits+watchdog"));
  EXPECT_EQ(result->describe(), "exit code 3");
  EXPECT_FALSE(result->ok());
  EXPECT_GT(result->peak_rss_bytes, 0);
}

TEST_F(Bubblewrap, TellsASignal) {
  auto result = run(shell("kill -SEGV $$"));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->signal, SIGSEGV);
}

TEST_F(Bubblewrap, NamesAMissingProgram) {
  auto command = shell("");
  command.argv = {"no-such-program"};
  auto result = run(command);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_THAT(to_string(result.error()), HasSubstr("no-such-program"));
  EXPECT_FALSE(result.error().hint.empty());
}

TEST_F(Bubblewrap, AProgramCannotPassItsWordsOffAsOurs) {
  auto result = run(shell("echo 'bwrap: Creating new namespace failed' >&2; exit 1"));
  ASSERT_TRUE(result) << "the program ran, whatever it says";
  EXPECT_EQ(result->exit_code, 1);
}

TEST_F(Bubblewrap, RefusesToRunWithoutBubblewrap) {
  options_.bubblewrap = "/no/such/bwrap";
  auto result = run(shell("true"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable);
  EXPECT_THAT(result.error().hint, HasSubstr("apt-get install bubblewrap"));
}

TEST_F(Bubblewrap, RefusesToRunWithoutUserNamespaces) {
  const auto fake = root_ / "bwrap";
  std::ofstream(fake) << "#!/bin/sh\necho 'bwrap: Creating new namespace failed: Operation not permitted' >&2\nexit 1\n";
  std::filesystem::permissions(fake, std::filesystem::perms(0755));
  options_.bubblewrap = fake;
  auto result = run(shell("true"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable);
  EXPECT_THAT(result.error().hint, HasSubstr("--sandbox=none"));
}

TEST_F(Bubblewrap, SharesTheWorkspaceAndNothingElseForWriting) {
  put("in.txt", "hello");
  auto result = run(shell("pwd; cat in.txt; echo made > out.txt; mkdir d; touch /usr/x /etc/x /x /dev/x; ls /root /home; :"));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->out.text(), "/workspace\nhello");
  EXPECT_EQ(content("out.txt"), "made\n");
  EXPECT_THAT(result->err.text(), HasSubstr("cannot touch '/usr/x'"));
  EXPECT_THAT(result->err.text(), HasSubstr("cannot touch '/x'"));
  EXPECT_THAT(result->err.text(), HasSubstr("cannot touch '/dev/x'"));
  EXPECT_THAT(result->err.text(), HasSubstr("cannot access '/home'"));
}

TEST_F(Bubblewrap, RunsInASubfolderOfTheWorkspace) {
  std::filesystem::create_directories(root_ / "ws" / "sub");
  auto command = shell("pwd");
  command.working_subdirectory = "sub";
  auto result = run(command);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out.text(), "/workspace/sub\n");

  command.working_subdirectory = "missing";
  result = run(command);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
}

TEST_F(Bubblewrap, CoversTheWorktreesGitFile) {
  put(".git", "gitdir: /somewhere/secret\n");
  auto result = run(shell("cat .git; rm -f .git; echo x > .git; mv .git other; :"));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(result->out.text(), Not(HasSubstr("secret")));
  EXPECT_EQ(content(".git"), "gitdir: /somewhere/secret\n");
}

TEST_F(Bubblewrap, CoversAGitFolder) {
  std::filesystem::create_directories(root_ / "ws" / ".git" / "hooks");
  auto result = run(shell("ls -A .git; echo x > .git/hooks; rm -rf .git; :"));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->out.text(), "");
  EXPECT_TRUE(std::filesystem::is_directory(root_ / "ws" / ".git" / "hooks"));
}

TEST_F(Bubblewrap, ShowsMountsReadOnlyUnlessAskedOtherwise) {
  std::filesystem::create_directories(root_ / "shim");
  std::filesystem::create_directories(root_ / "report");
  std::ofstream(root_ / "shim" / "run.py") << "shim";
  ASSERT_TRUE(give_to(area_, root_));
  auto command = shell("cat /shim/run.py; echo bad > /shim/run.py; echo report > /report/out");
  command.mounts = {{root_ / "shim", "/shim", false}, {root_ / "report", "/report", true}};
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->out.text(), "shim");
  EXPECT_THAT(result->err.text(), HasSubstr("Read-only"));
  EXPECT_TRUE(std::filesystem::exists(root_ / "report" / "out"));
}

TEST_F(Bubblewrap, ShowsFurtherPathsOnlyForReading) {
  std::filesystem::create_directories(root_ / "toolchain");
  std::ofstream(root_ / "toolchain" / "x") << "tool";
  ASSERT_TRUE(give_to(area_, root_));
  auto command = shell("cat " + (root_ / "toolchain" / "x").string() + "; touch " + (root_ / "toolchain" / "y").string());
  command.limits.read = {root_ / "toolchain"};
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->out.text(), "tool");
  EXPECT_EQ(result->exit_code, 1);
  command.limits.read = {"/"};
  EXPECT_FALSE(run(command));
}

TEST_F(Bubblewrap, GivesOnlyTheEnvironmentOfTheCommand) {
  ::setenv("CONDUCTORAI_TEST_SECRET", "hunter2", 1);
  auto command = shell("env | sort; cat /proc/1/environ");
  command.environment = {{"ADDED", "yes"}};
  auto result = run(command);
  ASSERT_TRUE(result);
  EXPECT_THAT(result->out.text(), HasSubstr("ADDED=yes\nHOME=/tmp/home\nLANG=C.UTF-8\nPATH="));
  EXPECT_THAT(result->out.text(), Not(HasSubstr("hunter2")));
}

TEST_F(Bubblewrap, FeedsStdin) {
  auto command = shell("wc -c");
  command.stdin_text.assign(3'000'000, 'x');
  auto result = run(command);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out.text(), "3000000\n");
}

TEST_F(Bubblewrap, InheritsNoDescriptorOfOurs) {
  auto result = run(shell("ls /proc/self/fd"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out.text(), "0\n1\n2\n3\n");  // 3: the folder that ls reads
}

TEST_F(Bubblewrap, WorksWithoutACgroup) {
  options_.cgroups = false;
  auto result = run(shell("true"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->enforced_by, "rlimits+watchdog");
  EXPECT_TRUE(result->ok());
}

TEST_F(Bubblewrap, RunsSeveralAtOnce) {
  auto sandbox = make();
  std::vector<Result<CommandResult>> results;
  runtime::TaskScope scope(loop_);
  for (int n = 0; n < 8; ++n)
    scope.spawn([](Sandbox& s, SandboxCommand command, std::vector<Result<CommandResult>>& out) -> task<void> {
      out.push_back(co_await s.run(std::move(command)));
    }(*sandbox, shell("sleep 0.1; echo " + std::to_string(n)), results));
  loop_.run_until([&] { return scope.running() == 0; });
  ASSERT_EQ(results.size(), 8u);
  for (const auto& result : results) EXPECT_TRUE(result && result->ok());
}

}  // namespace
}  // namespace conductorai::infrastructure
