#pragma once
// The TestAgent on real projects with the real runners of this machine. A runner that is missing skips its tests visibly.

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "agents/development/agents.hpp"
#include "tests/support/fake_task_context.hpp"

namespace conductorai::testing {

bool has_program(const std::string& name);

class TestAgentFixture : public ::testing::Test {
 protected:
  /// Runs the tests that are there on `files`, asking no model.
  TaskResult judge(FileMap files);
  /// The same on a context that a test has set up.
  TaskResult run();
  FakeTaskContext& prepare(FileMap files, bool write_tests);

  runtime::Loop loop;
  std::unique_ptr<FakeTaskContext> context;
};

std::int64_t count(const TaskResult& result, const std::string& name);
const Evidence* evidence_of(const TaskResult& result, const std::string& kind);
/// All findings as text, one a line.
std::string findings_text(const TaskResult& result);

}  // namespace conductorai::testing

#define SKIP_WITHOUT(program) \
  if (!::conductorai::testing::has_program(program)) GTEST_SKIP() << program << " is not installed"
