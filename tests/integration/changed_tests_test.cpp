// Answers that take away, weaken, hide or go round the tests that were there when the workflow started: no run of what is left says
// anything.

#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

const std::string kTests =
    "import unittest\nimport calc\n\n\nclass T(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(calc.add(2, 3), "
    "5)\n\n"
    "    def test_zero(self):\n        self.assertEqual(calc.add(0, 0), 0)\n";
const std::string kBroken = "def add(a, b):\n    return a - b\n";
const std::string kHonestTest =
    "import unittest\nclass Z(unittest.TestCase):\n    def test_z(self):\n        self.assertEqual(int('0'), 0)\n";
const FileMap kPython{{"calc.py", kBroken}, {"tests/__init__.py", ""}, {"tests/test_calc.py", kTests}};
const std::string kCMake =
    "cmake_minimum_required(VERSION 3.20)\nproject(p NONE)\nenable_testing()\nadd_test(NAME a COMMAND true)\nadd_test(NAME b COMMAND "
    "false)\n";
const FileMap kNative{{"CMakeLists.txt", kCMake}};

struct Cheat {
  std::string name;
  FileMap project;
  std::map<std::string, std::optional<std::string>> changes;
  std::string word;
};
void PrintTo(const Cheat& one, std::ostream* out) {
  *out << one.name;
}

class ChangedTests : public TestAgentFixture, public ::testing::WithParamInterface<Cheat> {
 protected:
  TaskResult judge_change(const FileMap& project, const std::map<std::string, std::optional<std::string>>& changes) {
    FileMap now = project;
    for (const auto& [path, content] : changes) {
      now.erase(path);
      if (content) now.emplace(path, *content);
    }
    auto& attempt = prepare(now, false);
    attempt.files.commits["start"] = project;
    attempt.given.workflow_base = "start";
    return run();
  }
};

TEST_P(ChangedTests, AreAFailedVerdictWithEvidence) {
  const TaskResult result = judge_change(GetParam().project, GetParam().changes);
  ASSERT_EQ(result.status, ResultStatus::completed) << findings_text(result);
  EXPECT_EQ(result.verdict, Verdict::failed);
  ASSERT_NE(evidence_of(result, "integrity"), nullptr) << findings_text(result);
  EXPECT_FALSE(evidence_of(result, "integrity")->artifact.empty());
  EXPECT_THAT(findings_text(result), ::testing::HasSubstr(GetParam().word));
  EXPECT_TRUE(result.feedback->target.empty()) << "the code's task is to mend it";
}

std::string without(std::string text, const std::string& part) {
  return text.erase(text.find(part), part.size());
}

std::map<std::string, std::optional<std::string>> many_files() {
  std::map<std::string, std::optional<std::string>> files{{"tests/test_calc.py", std::nullopt}, {"tests/test_z.py", kHonestTest}};
  for (int i = 0; i < 600; ++i) files.emplace("a" + std::to_string(i) + ".py", "x = 1\n");
  return files;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, ChangedTests,
    ::testing::Values(
        Cheat{"deleted_file", kPython, {{"tests/test_calc.py", std::nullopt}, {"tests/test_z.py", kHonestTest}}, "was deleted"},
        Cheat{"deleted_test",
              kPython,
              {{"tests/test_calc.py", without(kTests, "    def test_add(self):\n        self.assertEqual(calc.add(2, 3), 5)\n\n")}},
              "test T.test_add was deleted"},
        Cheat{"shows_how_it_was", kPython, {{"tests/test_calc.py", ""}, {"tests/test_z.py", kHonestTest}}, "calc.add(2, 3), 5)"},
        Cheat{
            "weakened",
            kPython,
            {{"tests/test_calc.py", without(kTests, "self.assertEqual(calc.add(2, 3), 5)\n") + "\n    def test_y(self):\n        pass\n"}},
            "weakened"},
        Cheat{"load_tests",
              kPython,
              {{"tests/test_calc.py", kTests + "\n\ndef load_tests(loader, tests, pattern):\n    return unittest.TestSuite()\n"}},
              "newly skipped"},
        Cheat{"hidden_by_many_files", kPython, many_files(), "was deleted"},
        Cheat{"another_runner_npm", kPython, {{"package.json", "{\"scripts\":{\"test\":\"true\"}}"}}, "npm would run instead"},
        Cheat{"another_runner_cmake", kPython, {{"CMakeLists.txt", kCMake}}, "cmake would run instead"},
        Cheat{"another_runner_make", kPython, {{"Makefile", "check:\n\ttrue\n"}, {"x.c", "int x;\n"}}, "make would run instead"},
        Cheat{"conftest_chooses",
              kPython,
              {{"conftest.py", "def pytest_collection_modifyitems(items):\n    items[:] = items[1:]\n"},
               {"tests/test_more.py", "def test_m():\n    assert int('1')\n"}},
              "conftest.py chooses"},
        Cheat{"pytest_options",
              kPython,
              {{"pytest.ini", "[pytest]\naddopts = -k zero\n"}, {"tests/test_more.py", "def test_zero():\n    assert int('1')\n"}},
              "the choice of tests was changed"},
        Cheat{"npm_script_names_other_tests",
              {{"package.json", "{\"scripts\":{\"test\":\"node --test\"}}"}, {"a.test.js", "x"}},
              {{"package.json", "{\"scripts\":{\"test\":\"node --test ok.js\"}}"}},
              "the command that runs the tests was changed"},
        Cheat{"ctest_command", kNative, {{"CMakeLists.txt", without(kCMake, "false)\n") + "true)\n"}}, "the command of test b was changed"},
        Cheat{"ctest_custom",
              kNative,
              {{"CMakeLists.txt", kCMake + "file(WRITE ${CMAKE_BINARY_DIR}/CTestCustom.cmake \"set(CTEST_CUSTOM_TESTS_IGNORE b)\")\n"}},
              "left out"},
        Cheat{"ctest_skip_code",
              kNative,
              {{"CMakeLists.txt", kCMake + "set_tests_properties(b PROPERTIES SKIP_RETURN_CODE 1)\n"}},
              "left out"},
        Cheat{"cargo_autotests",
              {{"Cargo.toml", "[package]\nname = \"p\"\n"}, {"tests/a.rs", "#[test]\nfn a() { assert_eq!(1, 2); }\n"}},
              {{"Cargo.toml", "[package]\nname = \"p\"\nautotests = false\n"}},
              "the choice of tests was changed"},
        Cheat{"go_constraint",
              {{"go.mod", "module m\n"}, {"a_test.go", "package m\nfunc TestA(t *testing.T) { t.Fatal(1) }\n"}},
              {{"a_test.go", "//go:build never\n\npackage m\nfunc TestA(t *testing.T) { t.Fatal(1) }\n"}},
              "newly skipped"}),
    [](const auto& given) { return given.param.name; });

TEST_F(ChangedTests, HonestWorkIsJudgedByItsTests) {
  const auto result = judge_change(kPython, {{"calc.py", "def add(a, b):\n    return a + b\n"}, {"tests/test_z.py", kHonestTest}});
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
  EXPECT_EQ(count(result, "passed"), 3);
}

TEST_F(ChangedTests, MayBeChangedWhereTheUserSaysSo) {
  FileMap now = kPython;
  now["tests/test_calc.py"] = kHonestTest;
  auto& attempt = prepare(now, false);
  attempt.files.commits["start"] = kPython;
  attempt.given.workflow_base = "start";
  attempt.set_with("allow-test-changes", true);
  const auto result = run();
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
}

TEST_F(ChangedTests, AListWrittenIntoTheProductsHidesNoTestFromCTest) {
  SKIP_WITHOUT("ctest");
  const auto result = judge({{"CMakeLists.txt", kCMake + "set(x TESTS_IGNORE)\nfile(WRITE ${CMAKE_BINARY_DIR}/CTestCustom.cmake "
                                                         "\"set(CTEST_CUSTOM_${x} b)\")\n"}});
  EXPECT_EQ(result.verdict, Verdict::failed) << findings_text(result);
  EXPECT_EQ(count(result, "failed"), 1);
}

}  // namespace
}  // namespace conductorai::testing
