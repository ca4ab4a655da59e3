#include "infrastructure/process/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/process/work_area.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

ProcessSpec shell(std::string text) {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", std::move(text)};
  spec.environment = {{"PATH", "/usr/bin:/bin"}};
  return spec;
}

Result<ProcessResult> run(ProcessSpec spec) {
  runtime::Loop loop;
  return runtime::run_to_end(loop, run_process(loop, std::move(spec)));
}

task<void> store(runtime::Loop& loop, ProcessSpec spec, std::optional<Result<ProcessResult>>& out) {
  out.emplace(co_await run_process(loop, std::move(spec)));
}

int open_descriptors() {
  int count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

/// Waits for the end of a process that is nobody's child of ours any more.
bool ends_soon(int pid) {
  const UniqueFd pidfd = open_pidfd(pid);
  if (!pidfd) return true;
  pollfd wait{pidfd.get(), POLLIN, 0};
  return ::poll(&wait, 1, 5000) == 1;
}

bool no_child_left() {
  return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

TEST(RunProcess, GivesExitCodeAndBothOutputs) {
  auto result = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->signal, 0);
  EXPECT_EQ(result->out, "out\n");
  EXPECT_EQ(result->err, "err\n");
  EXPECT_FALSE(result->ok());
}

TEST(RunProcess, TellsTheSignalThatEndedTheProgram) {
  auto result = run(shell("kill -SEGV $$"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->signal, SIGSEGV);
  EXPECT_FALSE(result->ok());
}

TEST(RunProcess, NamesAMissingProgramFolderAndInterpreter) {
  ProcessSpec missing;
  missing.argv = {"no-such-program-here"};
  missing.environment = {{"PATH", "/usr/bin:/bin"}};
  auto result = run(missing);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_THAT(to_string(result.error()), HasSubstr("no-such-program-here"));

  auto folder = shell("true");
  folder.working_directory = "/no/such/folder";
  result = run(folder);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);

  const std::string script = ::testing::TempDir() + "no_interpreter";
  std::ofstream(script) << "#!/no/such/interpreter\n";
  ::chmod(script.c_str(), 0755);
  ProcessSpec interpreter;
  interpreter.argv = {script};
  result = run(interpreter);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
}

TEST(RunProcess, LooksTheProgramUpInThePathItIsGiven) {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", "true"};
  auto result = run(spec);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
}

TEST(RunProcess, GivesOnlyTheEnvironmentOfTheSpec) {
  ::setenv("CONDUCTORAI_TEST_SECRET", "hunter2", 1);
  auto spec = shell("env");
  spec.environment["WANTED"] = "yes";
  auto result = run(spec);
  ASSERT_TRUE(result);
  EXPECT_THAT(result->out, HasSubstr("WANTED=yes"));
  EXPECT_THAT(result->out, Not(HasSubstr("hunter2")));
}

TEST(RunProcess, WritesMoreToStdinThanAPipeHolds) {
  auto spec = shell("wc -c");
  spec.stdin_text.assign(5'000'000, 'x');
  auto result = run(spec);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, "5000000\n");
}

TEST(RunProcess, SurvivesAChildThatDoesNotReadItsStdin) {
  auto spec = shell("exec 0<&-; exit 0");
  spec.stdin_text.assign(5'000'000, 'x');
  auto result = run(spec);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->ok());
}

TEST(RunProcess, DrainsAndCountsWhatIsPastTheCap) {
  auto spec = shell("head -c 30000000 /dev/zero; echo done >&2");
  spec.output_bytes_max = 1000;
  std::int64_t seen = 0;
  spec.on_stdout = [&seen](std::string_view piece) { seen += static_cast<std::int64_t>(piece.size()); };
  auto result = run(spec);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out.size(), 1000u);
  EXPECT_EQ(result->out_bytes, 30'000'000);
  EXPECT_EQ(seen, 30'000'000);
  EXPECT_EQ(result->err, "done\n");
}

TEST(RunProcess, EndsTheWholeGroupAtTheTimeout) {
  auto spec = shell("sleep 100 & echo $!; wait");
  spec.timeout = 200ms;
  auto result = run(spec);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(result->signal, SIGTERM);
  EXPECT_TRUE(ends_soon(std::stoi(result->out)));
}

TEST(RunProcess, KillsAProgramThatIgnoresSigterm) {
  auto spec = shell("trap '' TERM; while :; do sleep 1; done");
  spec.timeout = 100ms;
  spec.grace = 200ms;
  auto result = run(spec);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(result->signal, SIGKILL);
}

TEST(RunProcess, CutsThePipeOfAGrandchildThatHoldsIt) {
  auto spec = shell("setsid sleep 5 & echo begun");
  spec.grace = 200ms;
  const auto before = std::chrono::steady_clock::now();
  auto result = run(spec);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->ok());
  EXPECT_EQ(result->out, "begun\n");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 4s);
}

TEST(RunProcess, IsGoneWhenACancelledRunReturns) {
  runtime::Loop loop;
  runtime::TaskScope scope(loop);
  std::optional<Result<ProcessResult>> result;
  auto spec = shell("trap '' TERM; echo $$; while :; do sleep 1; done");
  spec.grace = 100ms;
  int pid = 0;
  spec.on_stdout = [&](std::string_view piece) {
    pid = std::stoi(std::string(piece));
    scope.cancel();
  };
  scope.spawn(store(loop, spec, result));
  loop.run_until([&] { return scope.running() == 0; });
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, ErrorCode::cancelled);
  ASSERT_GT(pid, 0);
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_TRUE(no_child_left());
}

TEST(RunProcess, InheritsNoDescriptorOfOurs) {
  const int leaky = ::open("/etc/passwd", O_RDONLY);  // without O_CLOEXEC, as a careless library would
  auto result = run(shell("ls /proc/self/fd | wc -l"));
  ::close(leaky);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, "4\n");  // 0, 1, 2 and the folder that ls reads
}

TEST(RunProcess, LeavesNeitherZombiesNorDescriptors) {
  runtime::Loop loop;
  (void)runtime::run_to_end(loop, run_process(loop, shell("true")));
  const int before = open_descriptors();
  for (int i = 0; i < 30; ++i) {
    auto spec = shell(i % 2 == 0 ? "echo x" : "sleep 100");
    if (i % 2 == 1) spec.timeout = 5ms;
    (void)runtime::run_to_end(loop, run_process(loop, spec));
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_TRUE(no_child_left());
}

TEST(RunProcess, KeepsExitCodesWhenTheParentIgnoredSigchld) {
  ::signal(SIGCHLD, SIG_IGN);
  auto result = run(shell("exit 7"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 7);
}

TEST(WorkArea, BelongsToTheServiceUserWhenWeAreRootAndToUsElsewhere) {
  const WorkArea area = work_area(".conductorai");
  EXPECT_TRUE(area.root.is_absolute());
  EXPECT_EQ(area.uid, ::geteuid() == 0 ? kServiceUser : ::geteuid());
  EXPECT_EQ(area.drops_privileges, ::geteuid() == 0);
}

TEST(WorkArea, GivesAwayATreeWithoutFollowingSymlinks) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const std::filesystem::path root = std::filesystem::path(::testing::TempDir()) / "give_to_test";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root / "tree" / "sub");
  std::ofstream(root / "outside") << "x";
  std::filesystem::create_symlink(root / "outside", root / "tree" / "sub" / "link");
  const WorkArea area = work_area(root);
  ASSERT_TRUE(give_to(area, root / "tree"));
  struct stat info{};
  ::stat((root / "outside").c_str(), &info);
  EXPECT_EQ(info.st_uid, 0u);
  ::lstat((root / "tree" / "sub" / "link").c_str(), &info);
  EXPECT_EQ(info.st_uid, kServiceUser);
}

}  // namespace
}  // namespace conductorai::infrastructure
