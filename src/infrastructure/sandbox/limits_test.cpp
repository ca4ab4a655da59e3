#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>

#include "infrastructure/sandbox/sandbox_fixture.hpp"
#include "infrastructure/sandbox/selftest_prey.hpp"

namespace conductorai::infrastructure {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Each limit, on every way of enforcing it: bubblewrap with a cgroup where there is one, bubblewrap without, none.
enum class Way { cgroup, watchdog, none };

class Limits : public SandboxFixture, public ::testing::WithParamInterface<Way> {
 protected:
  std::unique_ptr<Sandbox> make() override {
    options_.cgroups = GetParam() == Way::cgroup;
    return GetParam() == Way::none ? make_no_sandbox(loop_, options_) : make_bubblewrap_sandbox(loop_, options_);
  }
  [[nodiscard]] int outputs() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(area_.root.parent_path() / "output"))
      count += entry.path().filename().string().starts_with(std::to_string(::getpid()) + "-") ? 1 : 0;
    return count;
  }
};

TEST_P(Limits, WallTimeEndsAProgramThatIgnoresSigterm) {
  auto command = shell("trap '' TERM; while :; do sleep 1; done");
  command.limits.wall = 300ms;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "wall");
  EXPECT_LT(result->duration_ms, 3000);
  EXPECT_FALSE(result->ok());
}

TEST_P(Limits, MemoryEndsAProgramThatTakesTooMuch) {
  auto command = shell("/usr/bin/python3 -c 'a=[]\nwhile True: a.append(bytearray(4<<20))'");
  command.limits.memory_bytes = 128 << 20;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "memory");
  EXPECT_LT(result->peak_rss_bytes, std::int64_t{3} << 30);
}

TEST_P(Limits, AForkBombEnds) {
  if (GetParam() == Way::none) GTEST_SKIP() << "without a namespace nothing but the watchdog stands between a bomb and the machine";
  auto command = shell("b() { b | b & }; b; sleep 2");
  command.limits.processes = 30;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  // It may break at the cap of tasks before the watchdog looks; then the shell that threw it goes on to its own end.
  EXPECT_EQ(result->exceeded.value_or("processes"), "processes");
  EXPECT_LT(result->duration_ms, 10'000);
}

TEST_P(Limits, TooManyProcessesEndTheRun) {
  auto command = shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 20 & done; wait");
  command.limits.processes = 5;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "processes");
}

TEST_P(Limits, FillingTheWorkspaceEnds) {
  auto command = shell("i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > f$i || exit 1; done");
  command.limits.disk_bytes = 40'000'000;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "disk");
}

TEST_P(Limits, FillingAFolderGivenBesideTheWorkspaceEnds) {
  const auto beside = area_.root / ("beside-" + std::to_string(::getpid()));
  std::filesystem::create_directory(beside);
  ASSERT_TRUE(give_to(area_, beside));
  auto command = shell("i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > \"$BESIDE/f$i\" || exit 1; done");
  command.mounts = {{beside, beside, true}};
  command.environment["BESIDE"] = beside.string();
  command.limits.disk_bytes = 40'000'000;
  auto result = run(command);
  std::filesystem::remove_all(beside);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "disk");
}

TEST_P(Limits, FillingTheDiskWithDeletedFilesEnds) {
  auto command = shell(
      "/usr/bin/python3 -c 'import os\nfs=[]\nwhile True:\n f=open(\"x\",\"wb\"); os.unlink(\"x\"); f.write(b\"x\"*4000000); f.flush(); "
      "fs.append(f)'");
  command.limits.disk_bytes = 40'000'000;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "disk");
}

TEST_P(Limits, OneHugeFileEnds) {
  auto command = shell("exec head -c 100000000 /dev/zero > huge");
  command.limits.disk_bytes = 10'000'000;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "disk");
}

TEST_P(Limits, AFloodOfOutputIsCutCountedAndHeldInLittleMemory) {
  auto command = shell("head -c 200000000 /dev/zero | tr '\\0' 'x'; echo; echo end");
  command.limits.output_bytes = 64 << 20;
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  auto result = run(command);
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(result->ok()) << result->describe();
  EXPECT_EQ(result->out.total_bytes, 200'000'005);
  EXPECT_TRUE(result->out.truncated);
  EXPECT_EQ(std::filesystem::file_size(result->out.file), 64u << 20);
  EXPECT_LE(result->out.head.size() + result->out.tail.size(), 70'000u);
  EXPECT_TRUE(result->out.tail.ends_with("\nend\n"));
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 40'000) << "KiB";
  std::filesystem::remove(result->out.file);
}

TEST_P(Limits, PrintingFarBeyondTheCapEnds) {
  auto command = shell("yes");
  command.limits.output_bytes = 1 << 20;
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exceeded, "output");
  std::filesystem::remove(result->out.file);
}

TEST_P(Limits, ADaemonEndsWithTheProgram) {
  const std::string marker = "7.3133" + std::to_string(::getpid());
  auto result =
      run(shell("setsid sh -c 'sleep " + marker + "' >/dev/null 2>&1 & (setsid sleep " + marker + " &) ; sleep 0.2; echo started"));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(result->ok());
  EXPECT_EQ(processes_with(marker), 0);
}

task<void> store(Sandbox& sandbox, SandboxCommand command, std::optional<Result<CommandResult>>& out) {
  out.emplace(co_await sandbox.run(std::move(command)));
}

TEST_P(Limits, CancellationEndsTheWholeTreeBeforeItReturns) {
  auto sandbox = make();
  runtime::TaskScope scope(loop_);
  std::optional<Result<CommandResult>> result;
  const std::string marker = "8.3133" + std::to_string(::getpid());
  auto command = shell("trap '' TERM; setsid sleep " + marker + " & sleep " + marker + " & echo ready; wait");
  command.on_output = [&scope](std::string_view) { scope.cancel(); };
  scope.spawn(store(*sandbox, command, result));
  loop_.run_until([&] { return scope.running() == 0; });
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, ErrorCode::cancelled);
  EXPECT_EQ(processes_with(marker), 0);
}

TEST_P(Limits, LeavesNoChildDescriptorOrFile) {
  const auto descriptors = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  auto sandbox = make();
  ASSERT_TRUE(runtime::run_to_end(loop_, sandbox->run(shell("true"))));
  const auto before = descriptors();
  const int files_before = outputs();
  for (int n = 0; n < 10; ++n) {
    auto command = shell(n % 2 == 0 ? "echo hi" : "sleep 100");
    command.limits.wall = n % 2 == 0 ? 10'000ms : 20ms;
    auto result = runtime::run_to_end(loop_, sandbox->run(command));
    ASSERT_TRUE(result);
    if (!result->out.file.empty()) std::filesystem::remove(result->out.file);
  }
  EXPECT_EQ(descriptors(), before);
  EXPECT_EQ(outputs(), files_before);
  sandbox.reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_P(Limits, ASanitizedProgramRunsAndItsLeaksAreFound) {
  put("leak.c",
      "#include <stdlib.h>\n#include <string.h>\nint main(int n, char** v) { char* p = malloc(100); p[0] = 1; v[0] = p; "
      "if (n > 1) p = 0; else free(p); return 0; }\n");
  auto command = shell("clang-19 -fsanitize=address -o leak leak.c && ./leak && echo clean; ./leak leaky; echo $?");
  auto result = run(command);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(result->out.text(), HasSubstr("clean\n")) << result->err.text();
}

std::string name_of(const ::testing::TestParamInfo<Way>& info) {
  if (info.param == Way::cgroup) return "Cgroup";
  return info.param == Way::watchdog ? "Watchdog" : "None";
}
INSTANTIATE_TEST_SUITE_P(Ways, Limits, ::testing::Values(Way::cgroup, Way::watchdog, Way::none), name_of);

}  // namespace
}  // namespace conductorai::infrastructure
