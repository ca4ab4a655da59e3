#include "evidence/report.hpp"

#include <gmock/gmock.h>

namespace conductorai::evidence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(JUnit, ReadsCasesOfAllOutcomes) {
  auto report = parse_junit(R"(<?xml version="1.0"?>
    <!-- by some runner -->
    <testsuites><testsuite name="s" tests="4">
      <testcase classname="pkg.T" name="ok" file="t.py" line="3"/>
      <testcase classname="pkg.T" name="bad"><failure message="1 != 2"><![CDATA[t.py:9: <here>]]></failure></testcase>
      <testcase classname="pkg.T" name="broken"><error message="boom &amp; gone"/></testcase>
      <testcase classname="pkg.T" name="later"><skipped message="not yet"/></testcase>
    </testsuite></testsuites>)");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->passed(), 1u);
  EXPECT_EQ(report->failed(), 2u);
  EXPECT_EQ(report->skipped(), 1u);
  EXPECT_EQ(report->cases[0], (TestCase{.name = "pkg.T.ok", .file = "t.py", .line = 3}));
  EXPECT_THAT(report->cases[1].message, HasSubstr("t.py:9: <here>"));
  EXPECT_EQ(report->cases[2].message, "boom & gone");
}

TEST(JUnit, ReadsCTestsDialect) {
  auto report = parse_junit(R"(<testsuite name="suite" tests = "3" failures = "1" skipped =
                      "2" > <testcase name = "a" classname = "a" status = "run"><system - out> fine</ system - out></ testcase>
                            <testcase name = "b" classname = "b" status = "fail"><failure message = "Failed" /><system - out>
                                x.cpp : 3 : Failure</ system - out></ testcase><testcase name = "gone" classname = "gone" status = "notrun">
                            <skipped message = "Unable to find executable" /></ testcase>
                            <testcase name = "opt" classname = "opt" status = "notrun"><skipped message = "SKIP_RETURN_CODE=77" />
                            </ testcase></ testsuite>) ");
      ASSERT_TRUE(report);
  EXPECT_EQ(report->cases[0].name, "a");
  EXPECT_EQ(report->cases[0].message, "");
  EXPECT_EQ(report->cases[1].status, CaseStatus::failed);
  EXPECT_THAT(report->cases[1].message, HasSubstr("x.cpp:3"));
  EXPECT_EQ(report->cases[2].status, CaseStatus::error);
  EXPECT_EQ(report->cases[3].status, CaseStatus::skipped);
}

TEST(JUnit, ReportThatStopsEarlyIsIncomplete) {
  auto cut = parse_junit(R"x(<testsuite tests="2"><testcase name="a"/><testcase name="b)x");
  ASSERT_TRUE(cut);
  EXPECT_FALSE(cut->complete);
  EXPECT_EQ(cut->cases.size(), 1u);
  auto fewer = parse_junit(R"x(<testsuite tests="2"><testcase name="a"/></testsuite>)x");
  ASSERT_TRUE(fewer);
  EXPECT_FALSE(fewer->complete);
}

TEST(JUnit, AddsUpSuitesWhereTheRootAnnouncesNothing) {
  auto report = parse_junit(
      R"(<testsuites><testsuite tests="1"><testcase name="a"/></testsuite><testsuite tests="2"><testcase name="b"/></testsuite></testsuites>)");
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->complete);
}

TEST(JUnit, RefusesWhatItShouldNotRead) {
  EXPECT_FALSE(parse_junit(""));
  EXPECT_FALSE(parse_junit("OK (3 tests)"));
  EXPECT_FALSE(parse_junit("<html><body/></html>"));
  EXPECT_FALSE(parse_junit(R"(<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite tests="1"/>)"));
  auto entity = parse_junit(R"(<testsuite tests="1"><testcase name="a"><failure>&lol;</failure></testcase></testsuite>)");
  ASSERT_TRUE(entity);
  EXPECT_FALSE(entity->complete);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<testsuite>";
  auto nested = parse_junit(deep);
  ASSERT_TRUE(nested);
  EXPECT_FALSE(nested->complete);
  EXPECT_FALSE(parse_junit(std::string(kReportBytesMax + 1, ' ')));
}

TEST(JUnit, SurvivesEveryPrefixOfADocument) {
  const std::string whole =
      R"(<?xml version="1.0"?><testsuite tests="1"><testcase name="&#x41;&lt;"><failure message='m'>t<![CDATA[c]]></failure></testcase></testsuite>)";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    auto report = parse_junit(whole.substr(0, n));
    EXPECT_FALSE(report && report->complete) << whole.substr(0, n);
  }
  EXPECT_EQ(parse_junit(whole)->cases[0].name, "A<");
}

TEST(Tap, CountsPointsOfTheOutermostLevel) {
  auto report = parse_tap(
      "TAP version 14\n1..4\nok 1 - adds\n# a comment\n    1..1\n    not ok 1 - inner\nnot ok 2 - outer\n  ---\n  message: \"no\"\n"
      "  location: '/w/t.js:3:1'\n  ...\nok 3 - later # SKIP no network\nnot ok 4 - known # TODO fix\n");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->passed(), 1u);
  EXPECT_EQ(report->failed(), 1u);
  EXPECT_EQ(report->skipped(), 2u);
  EXPECT_EQ(report->cases[1].line, 3);
}

TEST(Tap, WithoutItsPlanOrAfterBailingOutIsIncomplete) {
  EXPECT_FALSE(parse_tap("ok 1 - a\n")->complete);
  EXPECT_FALSE(parse_tap("1..2\nok 1 - a\n")->complete);
  EXPECT_FALSE(parse_tap("1..1\nok 1 - a\nok 2 - b\n")->complete);
  EXPECT_FALSE(parse_tap("1..1\nok 1 - a\nBail out! disk\n")->complete);
  EXPECT_FALSE(parse_tap("All tests passed\n"));
}

TEST(Shim, CountsOnlyWithItsEnd) {
  const std::string start = "{\"shim\":\"unittest\",\"version\":1}\n{\"case\":{\"name\":\"t\",\"status\":\"passed\"}}\n";
  EXPECT_FALSE(parse_shim(start)->complete);
  EXPECT_TRUE(parse_shim(start + "{\"end\":{\"cases\":1}}\n")->complete);
  EXPECT_FALSE(parse_shim(start + "{\"end\":{\"cases\":2}}\n")->complete);
  EXPECT_FALSE(parse_shim(start + "{\"case\":{\"na")->complete);
  EXPECT_FALSE(parse_shim(start + "{\"end\":{\"cases\":1}}\n{\"case\":{\"name\":\"u\",\"status\":\"passed\"}}\n"));
  EXPECT_FALSE(parse_shim("{\"case\":{\"name\":\"t\",\"status\":\"passed\"}}\n{\"end\":{\"cases\":1}}\n"));
  EXPECT_FALSE(parse_shim("{\"shim\":\"x\"}\n{\"case\":{\"name\":\"t\",\"status\":\"great\"}}\n"));
  EXPECT_FALSE(parse_shim(""));
  EXPECT_THAT(parse_shim("{\"shim\":\"x\"}\n{\"end\":{\"cases\":0,\"tampered\":[\"builtins.len\"]}}")->tampered,
              ElementsAre("builtins.len"));
}

TEST(Go, TellsTestsByTheEventStream) {
  auto report = parse_go(
      "{\"Action\":\"run\",\"Package\":\"m\",\"Test\":\"TestA\"}\n{\"Action\":\"pass\",\"Package\":\"m\",\"Test\":\"TestA\"}\n"
      "{\"Action\":\"run\",\"Package\":\"m\",\"Test\":\"TestB\"}\n{\"Action\":\"output\",\"Package\":\"m\",\"Test\":\"TestB\",\"Output\":"
      "\"b_test.go:4: no\\n\"}\n"
      "{\"Action\":\"fail\",\"Package\":\"m\",\"Test\":\"TestB\"}\n{\"Action\":\"fail\",\"Package\":\"m\"}\n");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->passed(), 1u);
  EXPECT_THAT(report->cases[1].message, HasSubstr("b_test.go:4"));
}

TEST(Go, BlamesATestThatTookTheProcessDownAndAPackageThatDoesNotBuild) {
  auto died = parse_go("{\"Action\":\"run\",\"Package\":\"m\",\"Test\":\"TestA\"}\n{\"Action\":\"fail\",\"Package\":\"m\"}\n");
  ASSERT_TRUE(died);
  EXPECT_EQ(died->cases.at(0).status, CaseStatus::error);
  auto broken = parse_go(
      "{\"Action\":\"output\",\"Package\":\"m\",\"Output\":\"FAIL m [build failed]\\n\"}\n{\"Action\":\"fail\",\"Package\":\"m\"}\n");
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->cases.at(0).name, "m");
  EXPECT_FALSE(parse_go("{\"Action\":\"run\",\"Package\":\"m\",\"Test\":\"TestA\"}\n")->complete);
  EXPECT_FALSE(parse_go("ok  \tm\t0.1s\n"));
}

TEST(GoogleTest, ReadsItsJson) {
  auto report = parse_gtest_json(R"({"tests":3,"testsuites":[{"name":"S","testsuite":[
      {"name":"a","status":"RUN","result":"COMPLETED","file":"s.cpp","line":3},
      {"name":"b","status":"RUN","result":"COMPLETED","failures":[{"failure":"s.cpp:9\nExpected equality"}]},
      {"name":"c","status":"RUN","result":"SKIPPED"}]}]})");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->cases[1].name, "S.b");
  EXPECT_EQ(report->failed(), 1u);
  EXPECT_EQ(report->skipped(), 1u);
}

TEST(Discovery, ReadsEachLister) {
  EXPECT_THAT(parse_ctest_discovery(R"({"kind":"ctestInfo","tests":[{"name":"a"},{"name":"b"}]})")->names, ElementsAre("a", "b"));
  EXPECT_THAT(parse_gtest_discovery("S.\n  a\n  b/0  # GetParam() = 3\nT/1.  # TypeParam = int\n  c\n")->names,
              ElementsAre("S.a", "S.b/0", "T/1.c"));
  EXPECT_THAT(parse_shim_discovery("{\"shim\":\"x\"}\n{\"test\":\"t\"}\n{\"end\":{\"cases\":1}}\n")->names, ElementsAre("t"));
  EXPECT_FALSE(parse_shim_discovery("{\"shim\":\"x\"}\n{\"test\":\"t\"}\n")->complete);
}

}  // namespace
}  // namespace conductorai::evidence
