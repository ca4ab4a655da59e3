#include "tests/integration/test_agent_fixture.hpp"

#include <cstdlib>

namespace conductorai::testing {

bool has_program(const std::string& name) {
  if (name == "pytest") return std::system("/usr/bin/python3 -I -c 'import pytest' 2>/dev/null") == 0;
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

FakeTaskContext& TestAgentFixture::prepare(FileMap files, bool write_tests) {
  context = std::make_unique<FakeTaskContext>(loop, "test", "test", std::move(files));
  context->set_with("write-tests", write_tests);
  return *context;
}

TaskResult TestAgentFixture::run() {
  auto agent = agents::make_test_agent(AgentId("test-01"), 1);
  return runtime::run_to_end(loop, agent->execute_task(*context));
}

TaskResult TestAgentFixture::judge(FileMap files) {
  prepare(std::move(files), false);
  return run();
}

std::int64_t count(const TaskResult& result, const std::string& name) {
  auto it = result.outputs->find(name);
  return it == result.outputs->end() || it->second.as_int() == nullptr ? -1 : *it->second.as_int();
}

const Evidence* evidence_of(const TaskResult& result, const std::string& kind) {
  for (const auto& evidence : result.evidence)
    if (evidence.kind == kind) return &evidence;
  return nullptr;
}

std::string findings_text(const TaskResult& result) {
  std::string out = result.summary + "\n";
  if (result.error) out += to_string(*result.error) + "\n";
  if (!result.feedback) return out;
  for (const auto& finding : result.feedback->findings)
    out += finding.file + ":" + std::to_string(finding.line) + ": " + finding.message + "\n";
  return out;
}

}  // namespace conductorai::testing
