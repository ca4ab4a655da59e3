#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include "infrastructure/state/sqlite_state_manager.hpp"
#include "infrastructure/state/state_test_child.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::test {

Child::Child(const std::string& role, const std::filesystem::path& state_dir, const Environment& environment) {
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::setenv("STATE_TEST_ROLE", role.c_str(), 1);
  ::setenv("STATE_TEST_DIR", state_dir.c_str(), 1);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
  ::execl("/proc/self/exe", "state_test", "--gtest_filter=StateChild.*", nullptr);
  ::_exit(99);
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

int Child::wait() {
  if (pid_ > 0) ::waitpid(pid_, &status_, 0);
  pid_ = -1;
  return status_;
}

AppendRequest row(const std::string& workflow, std::uint64_t first_seq, std::uint64_t epoch, std::size_t body_bytes) {
  AppendRequest made;
  made.row = {
      .workflow = WorkflowId(workflow), .first_seq = first_seq, .count = 1, .at = {}, .epoch = epoch, .body = std::string(body_bytes, 'x')};
  made.summary.status = WorkflowStatus::in_progress;
  return made;
}

StepBegin step(const std::string& workflow, int ordinal, std::uint64_t epoch) {
  return {.id = {{WorkflowId(workflow), TaskId("code"), 1, 1}, std::to_string(ordinal)},
          .kind = "llm",
          .request_digest = "same",
          .worst_case = {.tokens = 100, .calls = 1},
          .scopes = {{.key = "workflow/" + workflow, .calls = 1'000'000}},
          .epoch = epoch,
          .diverged = false};
}

StepFinish finish(const StepBegin& step, int try_number) {
  return {.id = step.id,
          .try_number = try_number,
          .status = StepStatus::answered,
          .usage = {.calls = 1, .input_tokens = 50},
          .response = "\"yes\"",
          .tree = {},
          .epoch = step.epoch};
}

namespace {

/// Lines in `<state_dir>/<name>`, written once what they say has been acknowledged.
void acknowledge(const std::filesystem::path& dir, const char* name, const std::string& text) {
  const int fd = ::open((dir / name).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  (void)!::write(fd, text.data(), text.size());
  ::close(fd);
}

task<void> write_workflow(SqliteStateManager& states, std::filesystem::path dir, std::string workflow) {
  for (int i = 1;; ++i) {
    auto appended = co_await states.append(row(workflow, static_cast<std::uint64_t>(i)));
    if (!appended) ::_exit(2);
    acknowledge(dir, "acknowledged", workflow + "\n");
    const StepBegin begin = step(workflow, i);
    auto begun = co_await states.begin_step(begin);
    if (!begun) ::_exit(3);
    auto finished = co_await states.finish_step(finish(begin));
    if (!finished) ::_exit(4);
  }
}

void write_until_killed(runtime::Loop& loop, SqliteStateManager& states, const std::filesystem::path& dir) {
  runtime::TaskScope scope(loop);
  for (int i = 0; i < 4; ++i) scope.spawn(write_workflow(states, dir, "wf-" + std::to_string(::getpid()) + "-" + std::to_string(i)));
  loop.run_until([] { return false; });
}

/// One of each write, in a known order.
void write_each_once(runtime::Loop& loop, SqliteStateManager& states) {
  const auto run = [&](auto work) { return runtime::run_to_end(loop, std::move(work)).has_value(); };
  const StepBegin begin = step("wf-a", 1);
  const bool all = run(states.append(row("wf-a", 1))) && run(states.begin_step(begin)) && run(states.finish_step(finish(begin))) &&
                   run(states.post_command(WorkflowId("wf-a"), "pause"));
  ::_exit(all ? 0 : 5);
}

TEST(StateChild, PlaysItsRole) {
  const char* role = ::getenv("STATE_TEST_ROLE");
  if (role == nullptr) return;
  const std::string play = role;
  const std::filesystem::path dir = ::getenv("STATE_TEST_DIR");
  runtime::Loop loop;
  auto opened = SqliteStateManager::open(loop, dir);
  if (!opened) {
    std::cerr << play << ": " << opened.error().where << ": " << opened.error().message << '\n';
    ::_exit(1);
  }
  auto& states = **opened;
  if (play == "write") write_until_killed(loop, states, dir);
  if (play == "once") write_each_once(loop, states);
  if (play == "post") ::_exit(runtime::run_to_end(loop, states.post_command(WorkflowId("wf-a"), "pause")) ? 0 : 6);
  if (play == "remove") ::_exit(runtime::run_to_end(loop, states.remove_workflow(WorkflowId("wf-a"))) ? 0 : 8);
  if (play == "hold") {
    if (!runtime::run_to_end(loop, states.append(row("wf-a", 1)))) ::_exit(7);
    acknowledge(dir, "holding", "!");
    loop.run_until([] { return false; });
  }
  opened->reset();
  ::_exit(0);
}

}  // namespace
}  // namespace conductorai::infrastructure::test
