#include "agents/monitoring/watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/monitoring/test_support.hpp"

namespace conductorai::agents {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::ScriptedProber;
using testing::serving;
using testing::with_of;

class WatchedWindow : public ::testing::Test {
 protected:
  WatchedWindow() { releases.releases.push_back(serving()); }

  Result<WindowRecord> watch(std::string_view with) {
    auto plan = read_plan(with_of(with));
    if (!plan) return fail(plan.error());
    auto whole = address(std::move(*plan), "http://127.0.0.1:4711");
    if (!whole) return fail(whole.error());
    return runtime::run_to_end(loop, watch_window(loop, prober, releases, {.plan = std::move(*whole), .release = releases.releases[0]}));
  }

  runtime::SimLoop loop;
  ScriptedProber prober{loop};
  conductorai::testing::FakeReleaseManager releases;
};

TEST_F(WatchedWindow, ProbesTakeTurnsAtTheInterval) {
  auto window = watch(R"({"window":"2s","interval":"100ms","probes":[{"get":"/a"},{"get":"/b"}]})");
  ASSERT_TRUE(window) << to_string(window.error());
  ASSERT_EQ(window->probes.size(), 2u);
  EXPECT_EQ(window->probes[0].samples.size(), 10u);
  EXPECT_EQ(window->probes[1].samples.size(), 10u);
  EXPECT_EQ(window->probes[0].samples[1].at_ms, 200);
  EXPECT_EQ(window->probes[1].samples[0].at_ms, 100);
  EXPECT_EQ(window->window_s, 2);
  EXPECT_GE(window->process.size(), 10u);
}

TEST_F(WatchedWindow, AProbeThatHangsDelaysNoOtherAndStillFails) {
  prober.answers = [](const Probe& probe, int) {
    return ScriptedProber::Answer{.sample = {.ms = 1, .ok = true, .status = 200},
                                  .takes = probe.name == "GET /hangs" ? Milliseconds(1h) : 1ms};
  };
  auto window = watch(R"({"window":"4s","interval":"50ms","probes":[{"get":"/hangs","timeout":"500ms"},{"get":"/fine"}]})");
  ASSERT_TRUE(window) << to_string(window.error());
  EXPECT_EQ(window->probes[1].samples.size(), 40u);
  EXPECT_GE(window->probes[0].samples.size(), 20u);
  EXPECT_GT(window->probes[0].missed, 0);
  for (const Sample& sample : window->probes[0].samples) EXPECT_EQ(sample.error, "no answer in time");
  EXPECT_LE(prober.most_at_once, 6);
}

TEST_F(WatchedWindow, AServiceThatNeverAnswersIsNotTooFewSamples) {
  prober.answers = [](const Probe&, int) { return ScriptedProber::Answer{.takes = 1h}; };
  auto window = watch(R"({"window":"1s","interval":"100ms"})");
  ASSERT_TRUE(window) << to_string(window.error());
  EXPECT_EQ(summarize(window->probes[0].samples).ok, 0);
}

TEST_F(WatchedWindow, AServerErrorIsNoAnswerToBeContentWith) {
  prober.answers = [](const Probe&, int) { return ScriptedProber::Answer{.sample = {.ms = 1, .ok = true, .status = 503}}; };
  auto window = watch(R"({"window":"1s"})");
  ASSERT_TRUE(window);
  EXPECT_FALSE(window->probes[0].samples[0].ok);
  EXPECT_THAT(window->probes[0].samples[0].error, HasSubstr("503"));
}

/// Wall clock and time that went by while this process was stopped, both at a test's will.
class JumpingClock final : public Clock {
 public:
  explicit JumpingClock(runtime::SimLoop& loop) : loop_(loop) {}
  Milliseconds wall{0}, stopped{0};
  [[nodiscard]] Timestamp now() const override { return loop_.now() + wall; }
  [[nodiscard]] Instant steady_now() const override { return loop_.steady_now() + stopped; }
  [[nodiscard]] std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) override {
    return loop_.call_after(delay, std::move(function));
  }

 private:
  runtime::SimLoop& loop_;
};

Result<WindowRecord> watch_by(JumpingClock& clock, runtime::SimLoop& loop, ScriptedProber& prober, ReleaseManager& releases) {
  auto plan = address(*read_plan(with_of(R"({"window":"3s","interval":"100ms"})")), "http://127.0.0.1:1");
  return runtime::run_to_end(loop, watch_window(clock, prober, releases, {.plan = *plan, .release = serving()}));
}

TEST_F(WatchedWindow, TooFewSamplesAreAnErrorThatIsTriedAgain) {
  JumpingClock clock(loop);
  prober.answers = [&](const Probe&, int n) {
    if (n == 2) clock.stopped += 10s;  // the machine slept
    return ScriptedProber::Answer{.sample = {.ms = 1, .ok = true, .status = 200}};
  };
  auto window = watch_by(clock, loop, prober, releases);
  ASSERT_FALSE(window);
  EXPECT_EQ(window.error().code, ErrorCode::unavailable);
  EXPECT_EQ(window.error().retry, Retry::backoff);
  EXPECT_THAT(window.error().message, HasSubstr("too few samples: 2 of the probe 'GET /'"));
}

TEST_F(WatchedWindow, DoesNotCareAboutTheWallClock) {
  JumpingClock clock(loop);
  prober.answers = [&](const Probe&, int n) {
    clock.wall = n % 2 == 0 ? Milliseconds(-9'000'000) : Milliseconds(100'000'000);
    return ScriptedProber::Answer{.sample = {.ms = 1, .ok = true, .status = 200}};
  };
  auto window = watch_by(clock, loop, prober, releases);
  ASSERT_TRUE(window) << to_string(window.error());
  EXPECT_EQ(window->probes[0].samples.size(), 30u);
  EXPECT_EQ(window->probes[0].samples.back().at_ms, 2'900);
}

TEST_F(WatchedWindow, AProbeThatCannotBeMadeIsAnErrorOfItsAuthorAtOnce) {
  prober.error = Error{.code = ErrorCode::invalid_argument, .message = "not a URL"};
  auto window = watch(R"({"window":"1h"})");
  ASSERT_FALSE(window);
  EXPECT_EQ(window.error().code, ErrorCode::invalid_argument);
  EXPECT_LT(loop.steady_now().time_since_epoch(), 1min);
}

TEST_F(WatchedWindow, AReleaseThatDoesNotExistIsAnError) {
  ReleaseInfo gone = serving("gone");
  auto plan = address(*read_plan({}), "http://127.0.0.1:1");
  auto window = runtime::run_to_end(loop, watch_window(loop, prober, releases, {.plan = *plan, .release = gone}));
  ASSERT_FALSE(window);
  EXPECT_EQ(window.error().code, ErrorCode::not_found);
}

TEST_F(WatchedWindow, HoldsMetricsAgainstTheirLimits) {
  prober.metric_values = {{"errors{code=\"500\"}", 2}, {"errors{code=\"502\"}", 1}, {"errors_other", 99}, {"up", 1}};
  auto errors = [&](std::string_view thresholds) {
    auto window = watch(R"({"window":"1s","probes":[{"metrics":"/m","thresholds":)" + std::string(thresholds) + "}]}");
    return window ? window->probes[0].samples[0].error : to_string(window.error());
  };
  EXPECT_EQ(errors(R"({"errors":3,"up":{"min":1}})"), "");
  EXPECT_EQ(errors(R"({"errors":2})"), "the metric errors is 3, at most 2");
  EXPECT_EQ(errors(R"({"errors{code=\"500\"}":1})"), "the metric errors{code=\"500\"} is 2, at most 1");
  EXPECT_EQ(errors(R"({"down":{"max":1}})"), "expected the metric down, there is none");
  auto kept = watch(R"({"window":"1s","probes":[{"metrics":"/m","thresholds":{"errors":3,"gone":1}}]})");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->probes[0].samples[0].metrics, (std::map<std::string, double>{{"errors", 3}})) << "what is limited, to be drawn";
  EXPECT_EQ(kept->probes[0].limits.size(), 2u);
  prober.metric_values["up"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(errors(R"({"up":{"min":1}})"), "");
}

TEST_F(WatchedWindow, FindsForbiddenLinesOfTheLog) {
  releases.printed =
      "started\nTraceback (most recent call last):\n\x1b[31mTraceback\x1b[0m again \xff\nTraceback 3\nTraceback 3\nT4 Traceback\nTraceback "
      "5\nTraceback "
      "6\n";
  auto window = watch(R"({"window":"1s","logs":["Traceback"]})");
  ASSERT_TRUE(window);
  EXPECT_EQ(window->log_lines_matched, 7);
  ASSERT_EQ(window->log_matches.size(), 5u);
  EXPECT_EQ(window->log_matches[1].line, "Traceback again \uFFFD");
  EXPECT_EQ(window->log_matches[3].line, "T4 Traceback") << "the same line is kept once";
}

task<void> keep(task<Result<WindowRecord>> work, std::optional<Result<WindowRecord>>& out) {
  out.emplace(co_await std::move(work));
}

TEST_F(WatchedWindow, EndsAtOnceWhenCancelled) {
  prober.answers = [](const Probe&, int) { return ScriptedProber::Answer{.takes = 4s}; };
  std::optional<Result<WindowRecord>> out;
  runtime::TaskScope scope(loop);
  auto plan = address(*read_plan(with_of(R"({"window":"1h"})")), "http://127.0.0.1:1");
  scope.spawn(keep(watch_window(loop, prober, releases, {.plan = *plan, .release = serving()}), out));
  loop.settle();
  loop.advance(10s);
  EXPECT_FALSE(out);
  scope.cancel();
  runtime::run_to_end(loop, scope.join());
  ASSERT_TRUE(out);
  ASSERT_FALSE(*out);
  EXPECT_EQ(out->error().code, ErrorCode::cancelled);
}

TEST_F(WatchedWindow, IsTheSameAfterItWasRecorded) {
  auto window = watch(R"({"window":"1s","logs":["x"]})");
  ASSERT_TRUE(window);
  auto again = decode_window(encode(*window));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(encode(*again), encode(*window));
  EXPECT_EQ(again->probes[0].samples.size(), window->probes[0].samples.size());
}

}  // namespace
}  // namespace conductorai::agents
