// The runners inside the real sandbox: what they need is there, and what they write comes back.

#include "tests/integration/in_sandbox.hpp"
#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

using ::testing::HasSubstr;

class Sandboxed : public TestAgentFixture {
 protected:
  TaskResult judge_inside(FileMap files) {
    auto& inside = prepare(std::move(files), false);
    inside.definition.sandbox.wall = wall;
    sandbox.take(inside);
    return run();
  }

  InSandbox sandbox{loop};
  Milliseconds wall{120'000};
};

constexpr const char* kTests =
    "import unittest\nfrom calc import add\nclass A(unittest.TestCase):\n    def test_adds(self):\n        self.assertEqual(add(2, 3), "
    "5)\n";

TEST_F(Sandboxed, JudgesPython) {
  const auto good = judge_inside({{"calc.py", "def add(a, b):\n    return a + b\n"}, {"tests/test_calc.py", kTests}});
  SKIP_WITHOUT_SANDBOX(good);
  EXPECT_EQ(good.verdict, Verdict::passed) << findings_text(good);
  const auto bad = judge_inside({{"calc.py", "def add(a, b):\n    return a - b\n"}, {"tests/test_calc.py", kTests}});
  EXPECT_THAT(findings_text(bad), HasSubstr("-1 != 5"));
}

TEST_F(Sandboxed, StopsAnEndlessTestWithItsChildren) {
  wall = Milliseconds(4'000);
  const auto result =
      judge_inside({{"calc.py", "import subprocess\ndef add(a, b):\n    subprocess.Popen(['sleep', '1000'])\n    while True: pass\n"},
                    {"test_calc.py", kTests}});
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(result), HasSubstr("wall limit"));
}

TEST_F(Sandboxed, JudgesCTestUnderAddressSanitizerWithItsLeakCheck) {
  SKIP_WITHOUT("cmake");
  const auto project = [](const std::string& index) {
    return FileMap{{"CMakeLists.txt",
                    "cmake_minimum_required(VERSION 3.16)\nproject(x CXX)\nadd_compile_options(-g "
                    "-fsanitize=address)\nadd_link_options(-fsanitize=address)\n"
                    "enable_testing()\nadd_executable(t t.cpp)\nadd_test(NAME t COMMAND t)\n"},
                   {"t.cpp", "int main(int argc, char**) {\n  int* v = new int[3]{};\n  v[" + index +
                                 " * argc] = 1;\n  int r = v[0];\n  delete[] v;\n  return r;\n}\n"}};
  };
  const auto good = judge_inside(project("2"));
  SKIP_WITHOUT_SANDBOX(good);
  EXPECT_EQ(good.verdict, Verdict::passed) << findings_text(good);
  EXPECT_THAT(findings_text(judge_inside(project("3"))), HasSubstr("t.cpp:3: t failed: AddressSanitizer: heap-buffer-overflow"));
}

TEST_F(Sandboxed, JudgesNode) {
  SKIP_WITHOUT("node");
  const auto result = judge_inside({{"package.json", "{}"}, {"a.test.js", "require('node:test').test('a', () => {});\n"}});
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
}

TEST_F(Sandboxed, JudgesGo) {
  SKIP_WITHOUT("go");
  const auto result = judge_inside(
      {{"go.mod", "module m\n\ngo 1.19\n"}, {"m_test.go", "package m\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n"}});
  SKIP_WITHOUT_SANDBOX(result);
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
}

}  // namespace
}  // namespace conductorai::testing
