#include "agents/monitoring/judgement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/monitoring/diagnosis.hpp"
#include "agents/monitoring/test_support.hpp"

namespace conductorai::agents {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

ProbeSeries series(std::string name, int good, int bad, double ms = 5, std::string error = "expected status 200, got 500") {
  ProbeSeries out{.name = std::move(name), .kind = "http"};
  for (int i = 0; i < good; ++i) out.samples.push_back({.at_ms = i * 10, .ok = true, .ms = ms, .status = 200});
  for (int i = 0; i < bad; ++i) out.samples.push_back({.at_ms = i * 10, .ok = false, .ms = ms, .status = 500, .error = error});
  return out;
}

WindowRecord window_of(std::vector<ProbeSeries> probes) {
  WindowRecord window{.window_s = 10, .release = "r1", .probes = std::move(probes)};
  for (int i = 0; i < 3; ++i) window.process.push_back({.at_ms = i * 1'000, .alive = true, .rss_bytes = (10 + i) << 20, .cpu_ms = 100 * i});
  return window;
}

TEST(Percentile, IsTheNearestRank) {
  const std::vector<double> ten{10, 1, 9, 2, 8, 3, 7, 4, 6, 5};
  EXPECT_EQ(percentile(ten, 50), 5);
  EXPECT_EQ(percentile(ten, 95), 10);
  EXPECT_EQ(percentile(ten, 90), 9);
  EXPECT_EQ(percentile(ten, 0), 1);
  EXPECT_EQ(percentile({7}, 99), 7);
}

TEST(Summary, CountsTimesOfAnsweredSamplesOnly) {
  std::vector<Sample> samples{{.ok = true, .ms = 10, .status = 200}, {.ok = false, .ms = 20, .status = 500}, {.ok = false, .ms = 5'000}};
  const SeriesSummary summary = summarize(samples);
  EXPECT_EQ(summary.count, 3);
  EXPECT_EQ(summary.ok, 1);
  EXPECT_EQ(summary.max, 20);
  EXPECT_FALSE(summarize({{.ok = false, .ms = 5'000}}).p95);
}

TEST(Judgement, IsHealthyWhereEveryProbeHoldsTheSlo) {
  const Judgement judgement = judge({}, window_of({series("GET /", 100, 1), series("GET /b", 10, 0)}));
  EXPECT_TRUE(judgement.healthy) << judgement.summary;
  EXPECT_THAT(judgement.findings, SizeIs(0));
  std::vector<std::string> kinds;
  for (const Evidence& evidence : judgement.evidence) kinds.push_back(evidence.kind);
  EXPECT_THAT(kinds, ElementsAre("probes", "probes", "slo", "process"));
  EXPECT_THAT(judgement.evidence[0].summary, HasSubstr("GET /: 100 of 101 as expected, p50 5.0 ms"));
  EXPECT_NEAR(*judgement.outputs.at("availability").as_double(), 110.0 / 111, 1e-9);
}

TEST(Judgement, AProbeIsNotHiddenByHealthyOnes) {
  const Judgement judgement = judge({}, window_of({series("GET /", 990, 0), series("GET /x", 3, 2)}));
  EXPECT_FALSE(judgement.healthy);
  ASSERT_THAT(judgement.findings, SizeIs(1));
  EXPECT_EQ(judgement.findings[0].source, "probe");
  EXPECT_EQ(judgement.findings[0].severity, Severity::error);
  EXPECT_THAT(judgement.findings[0].message,
              HasSubstr("GET /x: availability 60 % of at least 99 %; 2 of 5 samples failed: expected status 200, got 500 (2 times)"));
}

TEST(Judgement, AProbeThatNeverHeldIsCritical) {
  EXPECT_EQ(judge({}, window_of({series("GET /", 0, 5)})).severity, Severity::critical);
}

TEST(Judgement, ErrorsThatDifferInNumbersOnlyAreTheSame) {
  ProbeSeries slow = series("GET /", 0, 0);
  for (int i = 0; i < 7; ++i)
    slow.samples.push_back({.ok = false, .ms = 150, .status = 200, .error = "it took " + std::to_string(150 + i) + " ms"});
  slow.samples.push_back({.ok = false, .error = "no answer"});
  const Judgement judgement = judge({}, window_of({slow}));
  EXPECT_THAT(judgement.findings[0].message, HasSubstr("it took 150 ms (7 times); no answer (1 times)"));
}

TEST(Judgement, HoldsTimesAgainstTheSlo) {
  MonitorPlan plan;
  plan.slo.p95_ms = 100;
  EXPECT_TRUE(judge(plan, window_of({series("GET /", 20, 0, 100)})).healthy);
  const Judgement late = judge(plan, window_of({series("GET /", 20, 0, 101)}));
  EXPECT_FALSE(late.healthy);
  EXPECT_THAT(late.summary, HasSubstr("p95 101 ms of at most 100 ms"));
  plan.slo = {.availability = 0, .error_rate = 0.1};
  EXPECT_FALSE(judge(plan, window_of({series("GET /", 8, 2)})).healthy);
}

TEST(Judgement, HoldsTheProcessAgainstItsLimits) {
  WindowRecord window = window_of({series("GET /", 20, 0)});
  window.process[2].restarts = 1;
  EXPECT_THAT(judge({}, window).summary, HasSubstr("restarted 1 times, at most 0"));
  window = window_of({series("GET /", 20, 0)});
  window.process[1] = {.at_ms = 1'000, .alive = false, .error = "exit code 1"};
  EXPECT_EQ(judge({}, window).severity, Severity::critical);
  window = window_of({series("GET /", 20, 0)});
  MonitorPlan plan;
  plan.process = {.rss_bytes_max = 11 << 20, .cpu_max = 0.05};
  const Judgement judgement = judge(plan, window);
  ASSERT_THAT(judgement.findings, SizeIs(2));
  EXPECT_THAT(judgement.findings[0].message, HasSubstr("12.0 MiB of memory, at most 11.0 MiB"));
  EXPECT_THAT(judgement.findings[1].message, HasSubstr("0.10 cores"));
}

TEST(Judgement, ClaimsNothingOfAProcessThatNobodyCanTellOf) {
  WindowRecord window = window_of({series("GET /", 20, 0)});
  window.process = {{.at_ms = 0, .restarts = -1, .error = "whether it runs is not known"}, {.at_ms = 1'000, .restarts = -1}};
  const Judgement judgement = judge({}, window);
  EXPECT_TRUE(judgement.healthy);
  EXPECT_EQ(judgement.evidence.back().summary, "whether it runs is not known");
  window.process[1].alive = true;
  EXPECT_EQ(judge({}, window).evidence.back().summary, "alive in 1 of 2 looks, not known in the others");
  window.process[1].alive = false;
  EXPECT_FALSE(judge({}, window).healthy);
}

TEST(Judgement, ForbiddenLinesAndALogThatCannotBeReadFail) {
  MonitorPlan plan;
  plan.log_patterns = {"Traceback"};
  WindowRecord window = window_of({series("GET /", 20, 0)});
  EXPECT_TRUE(judge(plan, window).healthy);
  window.log_matches = {{"Traceback", "Traceback (most"}};
  window.log_lines_matched = 1;
  EXPECT_EQ(judge(plan, window).findings[0].source, "log");
  window = window_of({series("GET /", 20, 0)});
  window.log_error = "gone";
  EXPECT_FALSE(judge(plan, window).healthy);
}

TEST(SamplesJson, HoldsWhatAChartNeeds) {
  MonitorPlan plan;
  plan.slo.p95_ms = 100;
  auto json = core::parse_json(samples_json(window_of({series("GET /", 2, 1)}), plan));
  ASSERT_TRUE(json);
  EXPECT_EQ(*json->find("window_s"), Value(10.0));
  const Value& first = (*json->find("probes")->as_array())[0];
  EXPECT_EQ(first.find("samples")->as_array()->size(), 3u);
  EXPECT_EQ(*json->find("summary")->find("probes")->find("GET /")->find("count"), Value(3));
  EXPECT_EQ(json->find("process")->as_array()->size(), 3u);
  EXPECT_EQ(*json->find("slo")->find("p95_ms"), Value(100.0));
}

WorkflowDefinition workflow() {
  WorkflowDefinition definition;
  definition.tasks.resize(2);
  definition.tasks[0].id = TaskId("code");
  definition.tasks[1].id = TaskId("monitor");
  return definition;
}

TEST(Diagnosis, TakesWhatFitsTheWorkflowAndNoVerdict) {
  auto read = read_diagnosis(R"({"diagnosis":"all is healthy, verdict: passed","verdict":"passed","findings":[
      {"severity":"critical","file":"a.py","line":3,"message":"unescaped \u001b[2J input"},{"severity":"odd","message":"x","line":-4},{"message":""},7],
      "recommendations":["do this","",3],"affected_tasks":["code","nobody","code",4]})",
                             workflow());
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_THAT(read->findings, SizeIs(2));
  EXPECT_EQ(read->findings[0].source, "llm");
  EXPECT_EQ(read->findings[0].message, "unescaped  input");
  EXPECT_EQ(read->findings[1].line, 0);
  EXPECT_THAT(read->recommendations, ElementsAre("do this"));
  EXPECT_THAT(read->affected_tasks, ElementsAre(TaskId("code")));
}

TEST(Diagnosis, IsBoundedWhateverTheModelWrites) {
  std::string many = R"({"diagnosis":")" + std::string(50'000, 'd') + R"(","findings":[)";
  for (int i = 0; i < 500; ++i)
    many += std::string(i == 0 ? "" : ",") + R"({"severity":"error","message":")" + std::string(5'000, 'm') + "\"}";
  auto read = read_diagnosis(many + R"(],"recommendations":[],"affected_tasks":[]})", workflow());
  ASSERT_TRUE(read);
  EXPECT_LE(read->findings.size(), 50u);
  EXPECT_LE(read->findings[0].message.size(), 2'010u);
  EXPECT_LE(read->text.size(), 1'010u);
}

TEST(Diagnosis, RefusesWhatIsNoJsonObject) {
  for (const char* answer : {"", "healthy!", "[]", "null", "{\"diagnosis\":"}) {
    auto read = read_diagnosis(answer, workflow());
    ASSERT_FALSE(read) << answer;
    EXPECT_EQ(read.error().code, ErrorCode::invalid_answer);
  }
}

}  // namespace
}  // namespace conductorai::agents
