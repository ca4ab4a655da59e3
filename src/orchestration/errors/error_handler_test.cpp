#include "orchestration/errors/error_handler.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "runtime/sim_loop.hpp"

namespace conductorai::orchestration {
namespace {

using namespace std::chrono_literals;

class SeededEntropy final : public Entropy {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{7};
};
class ConstantEntropy final : public Entropy {
 public:
  explicit ConstantEntropy(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

Error error(ErrorCode code) {
  return {.code = code, .message = "no"};
}

struct ErrorHandlerTest : testing::Test {
  runtime::SimLoop loop;
  SeededEntropy entropy;
  ErrorHandler handler{loop, entropy, {.failures_to_open = 3, .open_for = 30s}};
  AgentId agent{"coding-01"};

  ErrorAction action(ErrorCode code, int attempt, bool continue_on_error = false) {
    return handler.handle_error(error(code), {.agent = agent, .attempt = attempt, .continue_on_error = continue_on_error}).action;
  }
  void fail_times(int times) {
    for (int n = 0; n < times; ++n) handler.record_failure(agent, error(ErrorCode::unavailable));
  }
};

TEST_F(ErrorHandlerTest, RetriesWhatMayPassUntilTheAttemptsAreUsedUp) {
  for (auto code : {ErrorCode::unavailable, ErrorCode::timeout, ErrorCode::rate_limited, ErrorCode::invalid_answer, ErrorCode::conflict,
                    ErrorCode::resource_exhausted, ErrorCode::internal}) {
    EXPECT_EQ(action(code, 1), ErrorAction::retry) << to_string(code);
    EXPECT_EQ(action(code, 2), ErrorAction::retry) << to_string(code);
    EXPECT_EQ(action(code, 3), ErrorAction::escalate) << to_string(code);
  }
}

TEST_F(ErrorHandlerTest, NeverRetriesWhatWouldFailTheSameWayAgain) {
  for (auto code : {ErrorCode::invalid_argument, ErrorCode::not_found, ErrorCode::permission_denied, ErrorCode::unsupported,
                    ErrorCode::data_corrupted}) {
    EXPECT_EQ(action(code, 1), ErrorAction::escalate) << to_string(code);
    EXPECT_EQ(action(code, 1, true), ErrorAction::skip) << to_string(code);
  }
}

TEST_F(ErrorHandlerTest, SkipsUnderContinueOnErrorOnlyOnceTheAttemptsAreUsedUp) {
  EXPECT_EQ(action(ErrorCode::timeout, 2, true), ErrorAction::retry);
  EXPECT_EQ(action(ErrorCode::timeout, 3, true), ErrorAction::skip);
}

TEST_F(ErrorHandlerTest, NeitherRetriesNorSkipsWhatIsNotTheTasksFault) {
  for (auto code : {ErrorCode::cancelled, ErrorCode::fenced, ErrorCode::budget_exhausted})
    EXPECT_EQ(action(code, 1, true), ErrorAction::escalate) << to_string(code);
}

TEST_F(ErrorHandlerTest, RecognisesDeadLettersAlsoAsACause) {
  const Error marked = dead_letter_error("breaker_open", "every breaker is open");
  EXPECT_EQ(handler.handle_error(marked, {}).action, ErrorAction::dead_letter);
  Error outer = error(ErrorCode::internal);
  outer.cause = std::make_shared<Error>(marked);
  EXPECT_EQ(handler.handle_error(outer, {}).action, ErrorAction::dead_letter);
  EXPECT_EQ(dead_letter_reason(outer), "breaker_open");
  EXPECT_FALSE(dead_letter_reason(error(ErrorCode::unavailable)));
}

TEST_F(ErrorHandlerTest, SpreadsRetriesOverTheWholeExponential) {
  const RetryPolicy retry{.max_attempts = 100, .backoff = 1s, .max_backoff = 10s};
  for (auto [attempt, bound] : {std::pair{1, 1000ms}, {2, 2000ms}, {4, 8000ms}, {5, 10000ms}, {99, 10000ms}}) {
    Milliseconds least = 1h, most = 0ms;
    for (int n = 0; n < 500; ++n) {
      auto delay = handler.handle_error(error(ErrorCode::timeout), {.attempt = attempt, .retry = retry}).delay;
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    EXPECT_LE(most, bound);
    EXPECT_GT(most, bound * 9 / 10);
    EXPECT_LT(least, bound / 10);
  }
}

TEST_F(ErrorHandlerTest, BacksOffSanelyForExtremePolicies) {
  ConstantEntropy most(std::numeric_limits<std::uint64_t>::max() - 1);
  ErrorHandler strict(loop, most);
  auto delay = [&](RetryPolicy retry, int attempt) {
    return strict.handle_error(error(ErrorCode::timeout), {.attempt = attempt, .retry = retry}).delay;
  };
  EXPECT_EQ(delay({.max_attempts = 9, .backoff = 0ms, .max_backoff = 0ms}, 3), 0ms);
  EXPECT_EQ(delay({.max_attempts = 9, .backoff = -5ms, .max_backoff = -1ms}, 1), 0ms);
  EXPECT_GE(delay({.max_attempts = 1'000'000, .backoff = Milliseconds::max(), .max_backoff = Milliseconds::max()}, 999'999), 0ms);
}

TEST_F(ErrorHandlerTest, WaitsAsLongAsTheOtherSideAsks) {
  Error limited = error(ErrorCode::rate_limited);
  limited.retry = Retry::after;
  limited.retry_after = 90s;
  EXPECT_EQ(handler.handle_error(limited, {}).delay, 90s);
  limited.retry_after = 1h;
  EXPECT_EQ(handler.handle_error(limited, {}).action, ErrorAction::retry);
  limited.retry_after = 1h + 1s;
  EXPECT_EQ(handler.handle_error(limited, {}).action, ErrorAction::escalate);
  EXPECT_EQ(handler.handle_error(limited, {.continue_on_error = true}).action, ErrorAction::skip);
  limited.retry_after = -5s;  // in the past: our own back-off stands
  EXPECT_GE(handler.handle_error(limited, {}).delay, 0ms);
}

TEST_F(ErrorHandlerTest, OpensAfterFailuresInARowOnly) {
  fail_times(2);
  handler.record_success(agent);
  fail_times(2);
  EXPECT_EQ(handler.breaker(agent), BreakerState::closed);
  fail_times(1);
  EXPECT_EQ(handler.breaker(agent), BreakerState::open);
  EXPECT_FALSE(handler.try_acquire(agent));
  EXPECT_EQ(handler.breaker(AgentId("coding-02")), BreakerState::closed);
}

TEST_F(ErrorHandlerTest, DoesNotBlameTheAgentForATasksOwnBadInput) {
  for (int n = 0; n < 20; ++n) {
    handler.record_failure(agent, error(ErrorCode::invalid_argument));
    handler.record_failure(agent, error(ErrorCode::cancelled));
    handler.record_failure(agent, error(ErrorCode::invalid_answer));
  }
  EXPECT_EQ(handler.breaker(agent), BreakerState::closed);
}

TEST_F(ErrorHandlerTest, LetsOneProbeThroughWhenHalfOpen) {
  fail_times(3);
  EXPECT_EQ(handler.open_for_still(agent), 30s);
  loop.advance(30s);
  EXPECT_EQ(handler.breaker(agent), BreakerState::half_open);
  EXPECT_EQ(handler.open_for_still(agent), 0s);
  EXPECT_TRUE(handler.try_acquire(agent));
  EXPECT_FALSE(handler.try_acquire(agent));
  handler.record_success(agent);
  EXPECT_EQ(handler.breaker(agent), BreakerState::closed);
  EXPECT_TRUE(handler.try_acquire(agent));
}

TEST_F(ErrorHandlerTest, OpensAgainWhenTheProbeFails) {
  fail_times(3);
  loop.advance(30s);
  ASSERT_TRUE(handler.try_acquire(agent));
  fail_times(1);
  EXPECT_EQ(handler.breaker(agent), BreakerState::open);
  EXPECT_EQ(handler.open_for_still(agent), 30s);
}

TEST_F(ErrorHandlerTest, GivesTheProbeToAnotherWhenItSaidNothing) {
  fail_times(3);
  loop.advance(30s);
  ASSERT_TRUE(handler.try_acquire(agent));
  handler.record_failure(agent, error(ErrorCode::cancelled));
  EXPECT_EQ(handler.breaker(agent), BreakerState::half_open);
  EXPECT_TRUE(handler.try_acquire(agent));
}

}  // namespace
}  // namespace conductorai::orchestration
