// CMake/CTest, Make, cargo, go and the user's own commands.

#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

using ::testing::HasSubstr;

class Native : public TestAgentFixture {};

FileMap cmake_project(const std::string& source, const std::string& test) {
  return {{"CMakeLists.txt",
           "cmake_minimum_required(VERSION 3.16)\nproject(calc CXX)\nenable_testing()\nadd_executable(calc_test calc_test.cpp calc.cpp)\n"
           "target_compile_options(calc_test PRIVATE -fsanitize=address -g)\ntarget_link_options(calc_test PRIVATE -fsanitize=address)\n"
           "add_test(NAME calc COMMAND calc_test)\n"},
          {"calc.cpp", source},
          {"calc_test.cpp", test}};
}

constexpr const char* kTest =
    "#include <cassert>\nint sum(const int*, int);\nint main() {\n  const int* v = new int[3]{1, 2, 3};\n  int s = sum(v, 3);\n  delete[] "
    "v;\n  return s == 6 ? 0 : 1;\n}\n";

TEST_F(Native, CTestPassesAndLeavesNoBuildInTheWorkspace) {
  SKIP_WITHOUT("cmake");
  const auto result = judge(
      cmake_project("int sum(const int* v, int n) {\n  int s = 0;\n  for (int i = 0; i < n; ++i) s += v[i];\n  return s;\n}\n", kTest));
  ASSERT_EQ(result.verdict, Verdict::passed) << findings_text(result);
  EXPECT_EQ(count(result, "passed"), 1);
  EXPECT_EQ(context->files.present().size(), 3u);
}

TEST_F(Native, CTestFindsASanitizerErrorWithItsPlace) {
  SKIP_WITHOUT("cmake");
  const auto result = judge(cmake_project(
      "int sum(const int* v, int n) {\n  int s = 0;\n  for (int i = 0; i <= n; ++i)\n    s += v[i];\n  return s - v[n] + 0;\n}\n", kTest));
  ASSERT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(result), HasSubstr("calc.cpp:4: calc failed: AddressSanitizer: heap-buffer-overflow"));
  EXPECT_EQ(count(result, "failed"), 1);
}

TEST_F(Native, ABuildThatFailsIsAVerdictWithCompilerFindings) {
  SKIP_WITHOUT("cmake");
  const auto result = judge(cmake_project("int sum(const int* v, int n) {\n  return missing;\n}\n", kTest));
  ASSERT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(result), HasSubstr("the build failed"));
  EXPECT_THAT(findings_text(result), HasSubstr("calc.cpp:2:"));
}

TEST_F(Native, CTestWithoutTestsOrWithAMissingProgramFails) {
  SKIP_WITHOUT("cmake");
  const auto none = judge({{"CMakeLists.txt", "cmake_minimum_required(VERSION 3.16)\nproject(x NONE)\nenable_testing()\n"}});
  EXPECT_EQ(none.verdict, Verdict::failed) << findings_text(none);
  const auto gone = judge({{"CMakeLists.txt",
                            "cmake_minimum_required(VERSION 3.16)\nproject(x NONE)\nenable_testing()\nadd_test(NAME a COMMAND "
                            "/nonexistent)\nadd_test(NAME b COMMAND true)\n"}});
  EXPECT_EQ(gone.verdict, Verdict::failed);
  EXPECT_EQ(count(gone, "passed"), 1);
  EXPECT_EQ(count(gone, "failed"), 1);
}

TEST_F(Native, MakeCheckCountsByItsExitCodeAndSaysSo) {
  SKIP_WITHOUT("make");
  const auto good = judge({{"Makefile", "all:\n\ncheck:\n\t@true\n"}, {"a.c", "int main(void) { return 0; }\n"}});
  EXPECT_EQ(good.verdict, Verdict::passed) << findings_text(good);
  EXPECT_THAT(evidence_of(good, "exit_code")->summary, HasSubstr("exit code only"));
  EXPECT_EQ(evidence_of(good, "test_report"), nullptr);
  EXPECT_EQ(judge({{"Makefile", "all:\n\ncheck:\n\t@echo OK; exit 3\n"}, {"a.c", ""}}).verdict, Verdict::failed);
}

TEST_F(Native, TakesTheReportThatTheWorkflowNames) {
  auto& named = prepare({{"t.sh", "printf '1..2\\nok 1 - a\\nok 2 - b\\n' > r.tap\n"}}, false);
  named.definition.toolchain = {.test = "sh t.sh", .report = ReportDefinition{.format = "tap", .path = "r.tap"}};
  const auto result = run();
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
  EXPECT_EQ(count(result, "passed"), 2);
  EXPECT_THAT(result.summary, HasSubstr("project's own runner"));
  EXPECT_FALSE(context->files.present().contains("r.tap"));
}

TEST_F(Native, AReportThatWasThereBeforeIsNone) {
  auto& stale = prepare({{"r.tap", "1..1\nok 1 - a\n"}}, false);
  stale.definition.toolchain = {.test = "true", .report = ReportDefinition{.format = "tap", .path = "r.tap"}};
  const auto result = run();
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_THAT(result.summary, HasSubstr("no report was written"));
  EXPECT_TRUE(context->files.present().contains("r.tap"));
}

TEST_F(Native, AReportThatDisagreesWithTheExitCodeFails) {
  auto& lying = prepare({{"t.sh", "printf '1..1\\nnot ok 1 - a\\n' > r.tap\n"}}, false);
  lying.definition.toolchain = {.test = "sh t.sh", .report = ReportDefinition{.format = "tap", .path = "r.tap"}};
  EXPECT_EQ(run().verdict, Verdict::failed);
}

TEST_F(Native, AMissingProgramIsAnErrorOfTheMachineNamingWhatToInstall) {
  auto& bare = prepare({{"go.mod", "module m\n"}, {"a_test.go", "package m\n"}}, false);
  bare.definition.toolchain.build = "true";
  bare.runner = [](CommandRequest request) -> task<Result<CommandOutcome>> {
    CommandOutcome outcome;
    outcome.result.exit_code = 127;
    outcome.result.err.head = "/bin/sh: 1: go: not found\n";
    outcome.collected[request.collect.front()] = "";
    co_return outcome;
  };
  const auto result = run();
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code, ErrorCode::unavailable);
  EXPECT_THAT(to_string(*result.error), HasSubstr("go"));
}

TEST_F(Native, CargoRunsEachTestInAProcessOfItsOwn) {
  SKIP_WITHOUT("cargo");
  const std::string manifest = "[package]\nname = \"calc\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
  const std::string tests =
      "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn adds() {\n        assert_eq!(add(2, 3), 5);\n    }\n    #[test]\n "
      "   #[ignore]\n    fn later() {}\n}\n";
  const auto good = judge({{"Cargo.toml", manifest}, {"src/lib.rs", "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n" + tests}});
  EXPECT_EQ(good.verdict, Verdict::passed) << findings_text(good);
  EXPECT_EQ(count(good, "passed"), 1);
  EXPECT_EQ(count(good, "skipped"), 1);
  const auto bad = judge({{"Cargo.toml", manifest}, {"src/lib.rs", "pub fn add(a: i32, b: i32) -> i32 {\n    a - b\n}\n" + tests}});
  EXPECT_EQ(bad.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(bad), HasSubstr("src/lib.rs:9"));
  const auto liar = judge(
      {{"Cargo.toml", manifest},
       {"src/lib.rs", "pub fn add(_: i32, _: i32) -> i32 {\n    println!(\"test result: ok\");\n    std::process::exit(0)\n}\n" + tests}});
  EXPECT_EQ(liar.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(liar), HasSubstr("before the test did"));
}

TEST_F(Native, GoIsJudgedByItsEventStream) {
  SKIP_WITHOUT("go");
  const std::string test =
      "package calc\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(2, 3) != 5 {\n\t\tt.Errorf(\"got %d\", Add(2, "
      "3))\n\t}\n}\n";
  EXPECT_EQ(judge({{"go.mod", "module calc\n\ngo 1.19\n"},
                   {"calc.go", "package calc\n\nfunc Add(a, b int) int { return a + b }\n"},
                   {"calc_test.go", test}})
                .verdict,
            Verdict::passed);
  const auto bad = judge({{"go.mod", "module calc\n\ngo 1.19\n"},
                          {"calc.go", "package calc\n\nfunc Add(a, b int) int { return a - b }\n"},
                          {"calc_test.go", test}});
  EXPECT_EQ(bad.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(bad), HasSubstr("calc_test.go:7"));
}

}  // namespace
}  // namespace conductorai::testing
