#include "agents/monitoring/monitor_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/monitoring/test_support.hpp"

namespace conductorai::agents {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::with_of;

std::string error_of(std::string_view json) {
  auto plan = read_plan(with_of(json));
  return plan ? "none" : to_string(plan.error());
}

TEST(MonitorPlan, LooksAtTheRootForTenSecondsWhereNothingIsSaid) {
  auto plan = read_plan({});
  ASSERT_TRUE(plan) << to_string(plan.error());
  EXPECT_EQ(plan->window, 10s);
  ASSERT_EQ(plan->probes.size(), 1u);
  EXPECT_EQ(plan->probes[0].probe.url, "/");
  EXPECT_EQ(plan->slo.availability, 0.99);
  EXPECT_EQ(plan->looks_each(), 20);
}

TEST(MonitorPlan, ReadsEveryKindOfProbe) {
  auto plan = read_plan(with_of(R"({"window":"3s","probes":[
    {"get":"/healthz","status":200},
    {"post":"/shorten","json":{"url":"https://example.org"},"status":201,"max-ms":100,"headers":{"X-N":3},
     "expect":{"headers":{"Location":"^/"},"body":"code","json":{"/code":"abc"}}},
    {"tcp":true},{"metrics":"/metrics","thresholds":{"errors_total":0,"queue":{"min":1,"max":10}}}],
    "slo":{"availability":0.9,"p95-ms":100},"logs":["Traceback"],"process":{"max-restarts":1,"max-rss":"256MiB","max-cpu":0.5}})"));
  ASSERT_TRUE(plan) << to_string(plan.error());
  const Probe& post = plan->probes[1].probe;
  EXPECT_EQ(post.method, "POST");
  EXPECT_EQ(post.name, "POST /shorten");
  EXPECT_EQ(post.body, R"({"url":"https://example.org"})");
  EXPECT_EQ(post.headers.at("Content-Type"), "application/json");
  EXPECT_EQ(post.headers.at("X-N"), "3");
  EXPECT_EQ(post.status, 201);
  EXPECT_EQ(post.max_ms, 100);
  EXPECT_EQ(post.expect_json.at("/code"), Value("abc"));
  EXPECT_EQ(plan->probes[2].probe.kind, Probe::Kind::tcp);
  ASSERT_EQ(plan->probes[3].limits.size(), 2u);
  EXPECT_EQ(plan->probes[3].limits[0].max, 0);
  EXPECT_EQ(plan->process.rss_bytes_max, std::int64_t{256} << 20);
  auto whole = address(std::move(*plan), "http://127.0.0.1:4711/");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->probes[0].probe.url, "http://127.0.0.1:4711/healthz");
  EXPECT_EQ(whole->probes[2].probe.url, "http://127.0.0.1:4711/");
}

TEST(MonitorPlan, TellsTwoProbesOfOnePathApart) {
  auto plan = read_plan(with_of(R"({"probes":[{"post":"/a","json":1},{"post":"/a","json":2}]})"));
  ASSERT_TRUE(plan);
  EXPECT_NE(plan->probes[0].probe.name, plan->probes[1].probe.name);
}

TEST(MonitorPlan, NamesTheKeyThatIsWrong) {
  EXPECT_THAT(error_of(R"({"probes":[{"get":"healthz"}]})"), HasSubstr("(with.probes[0].get)"));
  EXPECT_THAT(error_of(R"({"probes":[{"get":"/a"},{"post":"/b","max-ms":"fast"}]})"), HasSubstr("(with.probes[1].max-ms)"));
  EXPECT_THAT(error_of(R"({"probes":[{"get":"/a","statsu":200}]})"), HasSubstr("unknown key 'statsu' (with.probes[0])"));
  EXPECT_THAT(error_of(R"({"probes":[{"status":200}]})"), HasSubstr("nothing to look at"));
  EXPECT_THAT(error_of(R"({"probes":[{"get":"/","tcp":true}]})"), HasSubstr("one thing"));
  EXPECT_THAT(error_of(R"({"probes":[]})"), HasSubstr("at least one"));
  EXPECT_THAT(error_of(R"({"probes":["/healthz"]})"), HasSubstr("with.probes[0]"));
  EXPECT_THAT(error_of(R"({"probes":[{"get":"/a","expect":{"body":"(["}}]})"), HasSubstr("with.probes[0].expect.body"));
  EXPECT_THAT(error_of(R"({"probes":[{"get":"/a","status":99}]})"), HasSubstr("from 100 to 599"));
  EXPECT_THAT(error_of(R"({"probes":[{"post":"/a","json":1,"body":"x"}]})"), HasSubstr("either json or body"));
  EXPECT_THAT(error_of(R"({"probes":[{"metrics":"/m","thresholds":{"x":{}}}]})"), HasSubstr("with.probes[0].thresholds.x"));
  EXPECT_THAT(error_of(R"({"slo":{"availability":99}})"), HasSubstr("(with.slo.availability)"));
  EXPECT_THAT(error_of(R"({"slo":{"p95":99}})"), HasSubstr("with.slo"));
  EXPECT_THAT(error_of(R"({"logs":["("]})"), HasSubstr("(with.logs)"));
  EXPECT_THAT(error_of(R"({"process":{"max-rss":"much"}})"), HasSubstr("(with.process.max-rss)"));
  EXPECT_THAT(error_of(R"({"window":"1ms"})"), HasSubstr("(with.window)"));
}

TEST(MonitorPlan, RefusesAWindowThatCannotGiveEnoughSamples) {
  EXPECT_THAT(error_of(R"({"window":"1s","interval":"500ms"})"),
              HasSubstr("too short: each of 1 probes gets 2 samples, min-samples wants 5"));
  EXPECT_EQ(error_of(R"({"window":"1s","interval":"500ms","min-samples":2})"), "none");
  EXPECT_THAT(error_of(R"({"window":"24h","interval":"5ms"})"), HasSubstr("looks"));
}

TEST(MonitorPlan, APathNeedsAReleaseWithAUrl) {
  auto plan = read_plan({});
  ASSERT_TRUE(plan);
  auto whole = address(std::move(*plan), "");
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().code, ErrorCode::invalid_argument);
  auto elsewhere = read_plan(with_of(R"({"probes":[{"get":"https://example.org/x"},{"tcp":"10.0.0.1:80"}]})"));
  ASSERT_TRUE(elsewhere);
  EXPECT_TRUE(address(std::move(*elsewhere), ""));
}

}  // namespace
}  // namespace conductorai::agents
