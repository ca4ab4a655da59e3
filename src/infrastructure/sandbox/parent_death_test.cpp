// kill -9 of the program that started a sandbox: nothing of the sandbox may stay.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "infrastructure/sandbox/sandbox_fixture.hpp"
#include "infrastructure/sandbox/selftest_prey.hpp"

namespace conductorai::infrastructure {
namespace {

class ParentDeath : public SandboxFixture, public ::testing::WithParamInterface<bool> {
 protected:
  /// A process that runs `command` in a sandbox and says so through `ready` when the command printed something.
  pid_t parent_of(SandboxCommand command, int ready) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    runtime::Loop loop;
    command.on_output = [ready](std::string_view) { (void)!::write(ready, "x", 1); };
    auto sandbox = GetParam() ? make_bubblewrap_sandbox(loop, options_) : make_no_sandbox(loop, options_);
    (void)runtime::run_to_end(loop, sandbox->run(std::move(command)));
    ::_exit(0);
  }
  static bool gone_within(const std::string& marker, int milliseconds) {
    // The ends of strangers can only be asked for: a short wait between the questions, a long one in all.
    for (int waited = 0; waited < milliseconds; waited += 10) {
      if (processes_with(marker) == 0) return true;
      ::poll(nullptr, 0, 10);
    }
    return false;
  }
};

TEST_P(ParentDeath, TakesTheWholeTreeAlong) {
  const std::string marker = std::string(GetParam() ? "31.4151" : "31.4152") + std::to_string(::getpid());
  auto ready = make_pipe();
  ASSERT_TRUE(ready);
  const pid_t parent =
      parent_of(shell("trap '' TERM HUP; setsid sleep " + marker + " & sleep " + marker + " & echo ready; wait"), ready->write.get());
  ready->write.reset();
  char byte = 0;
  ASSERT_EQ(::read(ready->read.get(), &byte, 1), 1);
  EXPECT_GE(processes_with(marker), 2);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(gone_within(marker, 5000)) << processes_with(marker) << " processes live on";
}

TEST_P(ParentDeath, TakesAlongWhatWasJustBeingStarted) {
  for (int round = 0; round < 20; ++round) {
    const std::string marker = "27.1" + std::to_string(round) + (GetParam() ? "1" : "2") + std::to_string(::getpid());
    auto ready = make_pipe();
    ASSERT_TRUE(ready);
    const pid_t parent = parent_of(shell("sleep " + marker), ready->write.get());
    ::poll(nullptr, 0, round);  // somewhere between fork, namespaces, mounts and exec
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    EXPECT_TRUE(gone_within(marker, 5000)) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Sandboxes, ParentDeath, ::testing::Bool(), [](const auto& info) { return info.param ? "Bubblewrap" : "None"; });

}  // namespace
}  // namespace conductorai::infrastructure
