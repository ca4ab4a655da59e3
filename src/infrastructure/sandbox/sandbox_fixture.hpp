#pragma once
// For the tests of this folder: a workspace that the sandbox's user owns, and commands run to their end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>

#include "infrastructure/process/fd.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/sandbox/sandboxes.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

class SandboxFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    static std::atomic<int> count = 0;
    area_ = work_area(std::filesystem::temp_directory_path() / ("sandbox_test-" + std::to_string(::getpid())));
    root_ = area_.root / ("test-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    auto made = make_work_area(area_.root.parent_path());
    ASSERT_TRUE(made) << to_string(made.error());
    std::filesystem::create_directories(root_ / "ws");
    ASSERT_TRUE(give_to(area_, root_));
    options_.state_dir = area_.root.parent_path();
    options_.helper = CONDUCTORAI_SANDBOX_EXEC;
  }
  void TearDown() override {
    std::error_code ignored;
    for (std::filesystem::directory_iterator it(area_.root.parent_path() / "output", ignored), end; !ignored && it != end;
         it.increment(ignored))
      if (it->path().filename().string().starts_with(std::to_string(::getpid()) + "-")) std::filesystem::remove(it->path(), ignored);
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] SandboxCommand shell(std::string text) const {
    SandboxCommand command;
    command.argv = {"/bin/sh", "-c", std::move(text)};
    command.workspace = root_ / "ws";
    command.limits.wall = Milliseconds(20'000);
    return command;
  }
  Result<CommandResult> run(SandboxCommand command) {
    auto sandbox = make();
    return runtime::run_to_end(loop_, sandbox->run(std::move(command)));
  }
  virtual std::unique_ptr<Sandbox> make() { return make_bubblewrap_sandbox(loop_, options_); }

  void put(const std::string& path, const std::string& text) const {
    const auto file = root_ / "ws" / path;
    std::ofstream(file) << text;
    ASSERT_TRUE(give_to(area_, file));
  }
  [[nodiscard]] std::string content(const std::string& path) const {
    std::ifstream file(root_ / "ws" / path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
  }

  runtime::Loop loop_;
  WorkArea area_;
  SandboxOptions options_;
  std::filesystem::path root_;
};

}  // namespace conductorai::infrastructure
