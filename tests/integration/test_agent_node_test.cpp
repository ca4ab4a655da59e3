// node:test, with honest and lying suites.

#include "tests/integration/test_agent_fixture.hpp"

namespace conductorai::testing {
namespace {

using ::testing::HasSubstr;

class Node : public TestAgentFixture {
 protected:
  void SetUp() override { SKIP_WITHOUT("node"); }
};

const std::string kPackage = R"({"name":"calc","scripts":{"test":"node --test"}})";
const std::string kTest =
    "const { test, describe, it } = require('node:test');\nconst assert = require('node:assert');\nconst { add } = require('../calc.js');\n"
    "test('adds', () => { assert.strictEqual(add(2, 3), 5); });\ndescribe('zero', () => { it('stays', () => { assert.strictEqual(add(0, "
    "0), 0); }); });\n";
const std::string kGood = "exports.add = (a, b) => a + b;\n";
const std::string kBad = "exports.add = (a, b) => a - b;\n";

TEST_F(Node, PassesAndFailsByItsReport) {
  const auto good =
      judge({{"package.json", kPackage}, {"calc.js", kGood}, {"test/calc.test.js", kTest}, {"test/helper.js", "exports.x = 1;\n"}});
  EXPECT_EQ(good.verdict, Verdict::passed) << findings_text(good);
  EXPECT_EQ(count(good, "passed"), 2);
  const auto bad = judge({{"package.json", kPackage}, {"calc.js", kBad}, {"test/calc.test.js", kTest}});
  EXPECT_EQ(bad.verdict, Verdict::failed);
  EXPECT_THAT(findings_text(bad), HasSubstr("test/calc.test.js:4: test/calc.test.js > adds failed"));
}

TEST_F(Node, FailsWhenTheCodeEndsTheProcess) {
  const auto at_load =
      judge({{"package.json", kPackage}, {"calc.js", "console.log('ok 1 - adds'); process.exit(0);\n"}, {"test/calc.test.js", kTest}});
  EXPECT_EQ(at_load.verdict, Verdict::failed) << findings_text(at_load);
  const auto in_test =
      judge({{"package.json", kPackage}, {"calc.js", "exports.add = () => process.exit(0);\n"}, {"test/calc.test.js", kTest}});
  EXPECT_EQ(in_test.verdict, Verdict::failed) << findings_text(in_test);
}

TEST_F(Node, FailsWithoutTestsAndOnSyntaxErrors) {
  EXPECT_EQ(judge({{"package.json", kPackage}, {"calc.js", kGood}, {"a.test.js", "console.log('all passed');\n"}}).verdict,
            Verdict::failed);
  EXPECT_EQ(judge({{"package.json", kPackage}, {"calc.js", kGood}}).verdict, Verdict::failed);
  EXPECT_THAT(findings_text(judge({{"package.json", kPackage}, {"calc.js", "exports.add = (a, b => a;\n"}, {"test/calc.test.js", kTest}})),
              HasSubstr("the build failed"));
}

TEST_F(Node, AnotherRunnerBehindNpmTestCountsByItsExitCode) {
  SKIP_WITHOUT("npm");
  const auto result = judge({{"package.json", R"({"name":"x","scripts":{"test":"sh -c 'exit 0'"}})"}});
  EXPECT_EQ(result.verdict, Verdict::passed) << findings_text(result);
  EXPECT_THAT(result.summary, HasSubstr("exit code only"));
}

}  // namespace
}  // namespace conductorai::testing
