// Twenty programming problems with a right and a wrong solution each: every one is told apart by running it.

#include <cstdlib>
#include <sstream>

#include "core/json.hpp"
#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

class CodeTruth : public TestAgentFixture {};

TEST_F(CodeTruth, TellsRightFromWrongSolutions) {
  const char* fixtures = std::getenv("CONDUCTORAI_FIXTURES");
  if (fixtures == nullptr) GTEST_SKIP() << "CONDUCTORAI_FIXTURES is not set";
  std::istringstream lines(read_file(std::filesystem::path(fixtures) / "code-truth" / "cases.jsonl"));
  int cases = 0;
  for (std::string line; std::getline(lines, line);) {
    auto parsed = core::parse_json(line);
    ASSERT_TRUE(parsed);
    const auto text = [&](std::string_view key) { return *parsed->find(key)->as_string(); };
    ++cases;
    const auto bad = judge({{text("file"), text("bad_solution")}, {text("test_file"), text("tests")}});
    EXPECT_EQ(bad.verdict, Verdict::failed) << text("id");
    const auto good = judge({{text("file"), text("good_solution")}, {text("test_file"), text("tests")}});
    EXPECT_EQ(good.verdict, Verdict::passed) << text("id") << "\n" << findings_text(good);
  }
  EXPECT_EQ(cases, 20);
}

}  // namespace
}  // namespace conductorai::testing
