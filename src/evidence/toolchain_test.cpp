#include "evidence/toolchain.hpp"

#include <gmock/gmock.h>

#include "evidence/dependency_files.hpp"
#include "evidence/known_runner.hpp"
#include "evidence/shims.hpp"

namespace conductorai::evidence {
namespace {

using ::testing::HasSubstr;
using Files = std::map<std::string, std::string>;

Result<Toolchain> detect(const Files& files, const ToolchainDefinition& definition = {}) {
  std::vector<std::string> names;
  for (const auto& [name, text] : files) names.push_back(name);
  return detect_toolchain(
      names,
      [&](const std::string& path) -> std::optional<std::string> {
        auto it = files.find(path);
        return it == files.end() ? std::nullopt : std::optional(it->second);
      },
      definition);
}

std::string name_for(const Files& files, const ToolchainDefinition& definition = {}) {
  return detect(files, definition)->name;
}

TEST(Toolchain, IsToldFromTheFiles) {
  EXPECT_EQ(name_for({{"tests/test_a.py", "import unittest\nclass TestA(unittest.TestCase):\n"}, {"a.py", ""}}), "python-unittest");
  EXPECT_EQ(name_for({{"test_a.py", "def test_a():\n  assert 1\n"}}), "python-pytest");
  EXPECT_EQ(name_for({{"test_a.py", "import pytest\n"}}), "python-pytest");
  EXPECT_EQ(name_for({{"package.json", R"({"scripts":{"test":"node --test"}})"}}), "node-test");
  EXPECT_EQ(name_for({{"package.json", R"({"scripts":{"test":"jest --ci"}})"}}), "npm");
  EXPECT_EQ(name_for({{"package.json", R"({"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}})"}}), "node-test");
  EXPECT_EQ(name_for({{"a.test.mjs", ""}}), "node-test");
  EXPECT_EQ(name_for({{"CMakeLists.txt", ""}, {"package.json", "{}"}}), "cmake");
  EXPECT_EQ(name_for({{"Makefile", "all:\n\ncheck: all\n\t./t\n"}, {"a.c", ""}}), "make");
  EXPECT_EQ(name_for({{"go.mod", ""}}), "go");
  EXPECT_EQ(name_for({{"Cargo.toml", ""}}), "cargo");
  EXPECT_EQ(detect({{"README.md", ""}})->test, "");
  EXPECT_EQ(name_for({{"package.json", "not json"}}), "node-test");
}

TEST(Toolchain, TakesAMakefilesCheckOverItsTestAndNeverAVariable) {
  EXPECT_EQ(detect({{"Makefile", "test:\n\t./a\ncheck:\n\t./b\n"}, {"a.c", ""}})->test, "make check");
  EXPECT_EQ(detect({{"Makefile", "test := x\nall:\n"}, {"a.c", ""}})->test, "");
  EXPECT_EQ(detect({{"Makefile", "test:\n"}, {"a.c", ""}})->report_format, "");
}

TEST(Toolchain, RunsAKnownRunnerOfTheUserUnderOurShim) {
  EXPECT_THAT(detect({}, {.test = "python3 -m unittest discover -v"})->test, HasSubstr("python_tests.py\" unittest run"));
  EXPECT_THAT(detect({}, {.test = "python3 -m unittest discover -s tests -p '*_t.py'"})->name, "command");
  EXPECT_THAT(detect({}, {.test = "python3 -m unittest discover -s tests"})->test, HasSubstr("unittest run --start tests"));
  EXPECT_THAT(detect({}, {.test = "make && ctest --test-dir build"})->test,
              HasSubstr("make && ctest --test-dir build --no-tests=error --output-junit"));
  EXPECT_THAT(detect({}, {.test = "pytest tests"})->test, HasSubstr("pytest run tests"));
  const auto other = detect({}, {.test = "./run-tests.sh | tee log"});
  EXPECT_EQ(other->report_format, "");
  EXPECT_EQ(other->test, "./run-tests.sh | tee log");
}

TEST(Toolchain, UsesTheReportTheUserNames) {
  const auto own = detect({{"test_a.py", "def test_a(): pass"}},
                          {.test = "./t", .report = ReportDefinition{.format = "junit", .path = "out/report.xml"}});
  ASSERT_TRUE(own);
  EXPECT_EQ(own->report_format, "junit");
  EXPECT_EQ(own->discover, "");
  EXPECT_THAT(own->test, HasSubstr("rm -f"));
  EXPECT_FALSE(detect({}, {.report = ReportDefinition{.format = "csv", .path = "r"}}));
  EXPECT_FALSE(detect({}, {.report = ReportDefinition{.format = "tap", .path = "../r"}}));
  EXPECT_FALSE(detect({}, {.report = ReportDefinition{.format = "tap", .path = "/etc/r"}}));
}

TEST(Toolchain, LeavesToTheUserWhatTheUserSets) {
  const auto own = detect({{"CMakeLists.txt", ""}}, {.prepare = "p", .build = "b", .run = "r"});
  EXPECT_EQ(own->prepare, "p");
  EXPECT_EQ(own->build, "b");
  EXPECT_EQ(own->run, "r");
  EXPECT_TRUE(own->builds_in_workspace);
  EXPECT_THAT(own->test, HasSubstr("ctest"));
}

TEST(Toolchain, DoesNotTakeWhatItCantPassOnForAKnownRunner) {
  for (const char* command : {"", "python3 -m unittest tests.test_a", "node --test --test-reporter=tap", "pytest $ARGS", "go test ./pkg",
                              "cargo test --release", "true; pytest", "pytest > log"})
    EXPECT_FALSE(known_runner(command)) << command;
}

TEST(Toolchain, MissingProgramIsAnErrorOfTheMachine) {
  const auto error = missing_program(*detect({{"go.mod", ""}}), "go");
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_THAT(error.hint, HasSubstr("golang"));
}

TEST(DependencyFiles, AreLockFilesOfAnyFolderAndTheirManifests) {
  EXPECT_EQ(dependency_files({"a.js", "package.json", "packages/b/package-lock.json", "src/Cargo.lock.txt"}),
            (std::vector<std::string>{"package.json", "packages/b/package-lock.json"}));
  EXPECT_EQ(dependency_files({"requirements-dev.txt"}), std::vector<std::string>{"requirements-dev.txt"});
  EXPECT_TRUE(is_dependency_file("a/.npmrc"));
  EXPECT_FALSE(is_dependency_file("a/npmrc"));
  EXPECT_TRUE(dependency_files({"package.json", "pyproject.toml"}).empty()) << "nothing pins what they bring";
}

TEST(Shims, AreEmbedded) {
  EXPECT_THAT(std::string(shims().at("python_tests.py")), HasSubstr("def main"));
  EXPECT_THAT(std::string(shims().at("node_tests.mjs")), HasSubstr("export default"));
}

}  // namespace
}  // namespace conductorai::evidence
