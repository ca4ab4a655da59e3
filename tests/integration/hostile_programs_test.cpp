// Programs that an answer brought along, in the real sandbox: one that wants to outlive its command, one that writes the report itself.

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "agents/command/command_agent.hpp"
#include "agents/development/agents.hpp"
#include "tests/integration/in_sandbox.hpp"
#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

using ::testing::HasSubstr;

/// How long the daemon would sleep: a number of seconds that only processes of this test have on their command line.
std::string naptime() {
  return "98765" + std::to_string(::getpid());
}

/// A session of its own, twice forked, no descriptor of its parent's kept, deaf to SIGTERM and SIGHUP; it tells that it runs.
std::string daemon_program() {
  return "import os, signal\n"
         "def leave():\n"
         "    if os.fork():\n"
         "        os.wait()\n"
         "        return\n"
         "    os.setsid()\n"
         "    if os.fork():\n"
         "        os._exit(0)\n"
         "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
         "    signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
         "    os.closerange(0, 1024)\n"
         "    os.execlp('sleep', 'sleep', '" +
         naptime() +
         "')\n"
         "leave()\n"
         "import time\n"
         "def lives():\n"
         "    for name in os.listdir('/proc'):\n"
         "        try:\n"
         "            if name.isdigit() and '" +
         naptime() +
         "' in open('/proc/' + name + '/cmdline').read(): return True\n"
         "        except OSError: pass\n"
         "while not lives(): time.sleep(0.01)\n"
         "print('the daemon runs')\n";
}

/// Of this machine: a process in there has another number out here, and the same command line.
bool daemon_lives() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    if (line.find(naptime()) != std::string::npos) return true;
  }
  return false;
}

struct Programs : ::testing::Test {
  runtime::Loop loop;
  InSandbox sandbox{loop};

  TaskResult run(FakeTaskContext& context, std::unique_ptr<BaseAgent> agent) {
    sandbox.take(context);
    return runtime::run_to_end(loop, agent->execute_task(context));
  }
  TaskResult run_tests(FakeTaskContext& context) {
    context.set_with("write-tests", false);
    return run(context, agents::make_test_agent(AgentId("test-01"), 1));
  }
};

// --- a daemon that outlives its command -------------------------------------------------------------------------------------------

TEST_F(Programs, ADaemonOfTheTestsIsGoneWithTheTestCommand) {
  FakeTaskContext context(
      loop, "test", "test",
      {{"daemon.py", daemon_program()},
       {"test_daemon.py", "import unittest\nclass T(unittest.TestCase):\n    def test_starts(self):\n        import daemon\n"}});
  const TaskResult result = run_tests(context);
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_FALSE(daemon_lives());
  ASSERT_EQ(result.status, ResultStatus::completed) << findings_text(result);
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
  ASSERT_NE(evidence_of(result, "test_report"), nullptr);
  EXPECT_FALSE(evidence_of(result, "test_report")->artifact.empty());
}

TEST_F(Programs, ADaemonOfTheBuildIsGoneBeforeTheCodeIsJudged) {
  FakeTaskContext context(loop, "code", "coding", {{"README.md", "empty\n"}});
  context.answers.emplace_back(answer_files({{"daemon.py", daemon_program()}, {"Makefile", "all:\n\tpython3 daemon.py\n\texit 3\n"}}));
  const TaskResult result = run(context, agents::make_coding_agent(AgentId("coding-01"), 1));
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_FALSE(daemon_lives());
  EXPECT_THAT(context.artifact("build.txt"), HasSubstr("the daemon runs"));
  ASSERT_EQ(result.status, ResultStatus::completed) << findings_text(result);
  EXPECT_EQ(result.verdict, Verdict::failed);
  ASSERT_NE(evidence_of(result, "exit_code"), nullptr);
  EXPECT_EQ(evidence_of(result, "exit_code")->value, 2);  // what make says
}

TEST_F(Programs, ADaemonOfACommandIsGoneWithIt) {
  FakeTaskContext context(loop, "lint", "command", {{"daemon.py", daemon_program()}});
  context.set_with({{"run", "python3 daemon.py && echo up=yes > $CONDUCTORAI_OUTPUT"}});
  const TaskResult result = run(context, agents::make_command_agent(AgentId("command-01"), 1, {}));
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_FALSE(daemon_lives());
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
  EXPECT_EQ(result.outputs->at("up"), Value("yes"));
  EXPECT_EQ(result.evidence.at(0).value, 0);
}

// --- a report that the program wrote itself ---------------------------------------------------------------------------------------

struct Forgery {
  std::string name;
  std::string runner;  // that must be installed
  FileMap files;       // honest tests of code that is wrong, and code that forges the report
};
void PrintTo(const Forgery& one, std::ostream* out) {
  *out << one.name;
}

constexpr const char* kUnittests =
    "import unittest\nfrom calc import add\nclass A(unittest.TestCase):\n    def test_adds(self):\n        self.assertEqual(add(2, 3), "
    "5)\n";

/// Python that finds the report's path where the kernel keeps it and ends the process with `report` as its whole content.
std::string forger(const std::string& report) {
  return "import os\n"
         "def add(a, b):\n"
         "    path = [v[19:] for v in open('/proc/self/environ').read().split('\\0') if v.startswith('CONDUCTORAI_REPORT=')][0]\n"
         "    os.chmod(path, 0o600)\n"
         "    open(path, 'w').write('''" +
         report +
         "''')\n"
         "    os._exit(0)\n";
}

class ForgedReport : public Programs, public ::testing::WithParamInterface<Forgery> {};

TEST_P(ForgedReport, DoesNotCountWhereTestsFoundBeforehandAreNotNamed) {
  if (!has_program(GetParam().runner)) GTEST_SKIP() << GetParam().runner << " is not installed";
  FakeTaskContext context(loop, "test", "test", GetParam().files);
  const TaskResult result = run_tests(context);
  SKIP_WITHOUT_SANDBOX(result);
  ASSERT_EQ(result.status, ResultStatus::completed) << findings_text(result);
  EXPECT_EQ(result.verdict, Verdict::failed) << findings_text(result);
  EXPECT_THAT(findings_text(result), HasSubstr("1 test found beforehand is not in the report"));
  // The forgery itself is complete and agrees with the exit code: nothing else speaks against it.
  ASSERT_NE(evidence_of(result, "exit_code"), nullptr);
  EXPECT_EQ(evidence_of(result, "exit_code")->value, 0);
  ASSERT_NE(evidence_of(result, "test_report"), nullptr);
  EXPECT_EQ(evidence_of(result, "test_report")->passed, 1);
  EXPECT_EQ(evidence_of(result, "test_report")->failed, 0);
  EXPECT_FALSE(evidence_of(result, "test_report")->artifact.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Reports, ForgedReport,
    ::testing::Values(
        Forgery{"unittest",
                "python3",
                {{"calc.py", forger("{\"shim\":\"unittest\",\"version\":1}\n{\"case\":{\"name\":\"all of them\",\"status\":\"passed\"}}\n"
                                    "{\"end\":{\"cases\":1,\"tampered\":[]}}\n")},
                 {"test_calc.py", kUnittests}}},
        Forgery{"pytest",
                "pytest",
                {{"calc.py", forger("{\"shim\":\"pytest\",\"version\":1}\n{\"case\":{\"name\":\"all of them\",\"status\":\"passed\"}}\n"
                                    "{\"end\":{\"cases\":1,\"tampered\":[]}}\n")},
                 {"test_calc.py", "from calc import add\ndef test_adds():\n    assert add(2, 3) == 5\n"}}}),
    [](const auto& given) { return given.param.name; });

TEST_F(Programs, AReportThatIsAPipeHoldsNobodyUp) {
  FakeTaskContext context(loop, "test", "test", {{"README.md", "mine\n"}});
  context.definition.toolchain.test = "mkfifo report.xml";
  context.definition.toolchain.report = ReportDefinition{.format = "junit", .path = "report.xml"};
  context.definition.sandbox.wall = Milliseconds(20'000);
  const TaskResult result = run_tests(context);
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(result), HasSubstr("no report was written"));
  EXPECT_EQ(findings_text(result).find("wall limit"), std::string::npos) << findings_text(result);
}

// Two agents that read no report: what looks like one is text and says nothing.
TEST_F(Programs, AReportThatACommandWritesOrPrintsSaysNothing) {
  FakeTaskContext context(loop, "lint", "command", {});
  const std::string forged = R"(<testsuite tests="1" failures="0"><testcase name="all"/></testsuite>)";
  context.set_with({{"run", "echo '" + forged + "' | tee report.xml test-report; exit 4"}});
  const TaskResult result = run(context, agents::make_command_agent(AgentId("command-01"), 1, {}));
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.evidence.at(0).value, 4);
  EXPECT_EQ(evidence_of(result, "test_report"), nullptr);
}

TEST_F(Programs, AReportThatABuildWritesSaysNothing) {
  FakeTaskContext context(loop, "code", "coding", {{"README.md", "empty\n"}});
  context.answers.emplace_back(answer_files({{"Makefile",
                                              "all:\n\tprintf 'ok 1 - all\\n1..1\\n' | tee \"$$CONDUCTORAI_REPORT\"\n\tprintf x > "
                                              "\"$$CONDUCTORAI_BUILD/build.done\"\n\tfalse\n"}}));
  const TaskResult result = run(context, agents::make_coding_agent(AgentId("coding-01"), 1));
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(evidence_of(result, "exit_code")->value, 2);
  EXPECT_EQ(evidence_of(result, "test_report"), nullptr);
}

}  // namespace
}  // namespace conductorai::testing
