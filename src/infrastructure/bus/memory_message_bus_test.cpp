#include "infrastructure/bus/memory_message_bus.hpp"

#include <gtest/gtest.h>

#include "infrastructure/state/memory_state_manager.hpp"
#include "runtime/scope.hpp"
#include "runtime/sim_loop.hpp"

// What the contract suite (tests/contract/message_bus_contract.hpp) cannot see: turns of the loop, lifetimes, a failing store.

namespace conductorai::infrastructure {
namespace {

using namespace std::chrono_literals;

TEST(ChannelPattern, MatchesAnyRunOfCharactersWhereTheStarIs) {
  for (auto [pattern, channel] :
       {std::pair{"a*c", "abc"}, {"a*c", "ac"}, {"a*c", "abcbc"}, {"*", ""}, {"**", "x"}, {"*a*a*", "aa"}, {"a", "a"}})
    EXPECT_TRUE(matches(pattern, channel)) << pattern << " " << channel;
  for (auto [pattern, channel] : {std::pair{"a*c", "abd"}, {"a*c", "bac"}, {"", "x"}, {"*a*a*", "a"}, {"a", "ab"}, {"a*b*c", "acb"}})
    EXPECT_FALSE(matches(pattern, channel)) << pattern << " " << channel;
}

TEST(MemoryMessageBus, HandsAllSubscribersTheSameMessage) {
  runtime::SimLoop loop;
  MemoryMessageBus bus(loop, loop, nullptr);
  std::vector<const AgentMessage*> seen;
  auto keep = [&seen](MessagePtr m) {
    seen.push_back(m.get());
    return Result<void>{};
  };
  auto a = bus.subscribe("x", keep);
  auto b = bus.subscribe("*", keep);
  EXPECT_TRUE(bus.publish({.channel = "x"}));
  loop.settle();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0], seen[1]);
}

TEST(MemoryMessageBus, LetsNoBusySubscriberHoldUpTheOthers) {
  runtime::SimLoop loop;
  MemoryMessageBus bus(loop, loop, nullptr);
  int busy = 0, busy_before_other = -1;
  auto a = bus.subscribe("busy", [&](MessagePtr) {
    ++busy;
    return Result<void>{};
  });
  auto b = bus.subscribe("other", [&](MessagePtr) {
    busy_before_other = busy;
    return Result<void>{};
  });
  for (int n = 0; n < 1000; ++n) EXPECT_TRUE(bus.publish({.channel = "busy"}));
  EXPECT_TRUE(bus.publish({.channel = "other"}));
  loop.settle();
  EXPECT_EQ(busy, 1000);
  EXPECT_LT(busy_before_other, 100);
}

/// Time that passes although the loop does not run: a process that is busy or was stopped.
class SlippingClock final : public Clock {
 public:
  explicit SlippingClock(runtime::SimLoop& loop) : loop_(loop) {}
  [[nodiscard]] Timestamp now() const override { return loop_.now(); }
  [[nodiscard]] Instant steady_now() const override { return loop_.steady_now() + slipped; }
  [[nodiscard]] std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) override {
    return loop_.call_after(delay, std::move(function));
  }
  std::chrono::nanoseconds slipped{0};

 private:
  runtime::SimLoop& loop_;
};

TEST(MemoryMessageBus, MeasuresTimeToLiveFromPublishing) {
  runtime::SimLoop loop;
  SlippingClock clock(loop);
  MemoryMessageBus bus(loop, clock, nullptr);
  int handled = 0;
  auto a = bus.subscribe("x", [&](MessagePtr) {
    ++handled;
    return Result<void>{};
  });
  EXPECT_TRUE(bus.publish({.channel = "x", .ttl = 100ms}));
  EXPECT_TRUE(bus.publish({.channel = "x", .ttl = 200ms}));
  clock.slipped = 100ms;
  loop.settle();
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(bus.counters().dead, 1U);
}

class FullDisk final : public MemoryStateManager {
 public:
  task<Result<std::int64_t>> put_dead_letter(DeadLetter) override { co_return fail(ErrorCode::resource_exhausted, "disk full"); }
};

TEST(MemoryMessageBus, CountsDeadLettersTheStoreRefused) {
  runtime::SimLoop loop;
  FullDisk states;
  MemoryMessageBus bus(loop, loop, &states);
  EXPECT_FALSE(bus.publish({.channel = "x", .must_deliver = true}));
  run_to_end(loop, bus.close());
  EXPECT_EQ(bus.letters_lost(), 1U);
}

TEST(MemoryMessageBus, LetsSubscriptionsOutliveIt) {
  runtime::SimLoop loop;
  int handled = 0;
  std::unique_ptr<Subscription> a;
  {
    MemoryMessageBus bus(loop, loop, nullptr);
    a = bus.subscribe("x", [&](MessagePtr) {
      ++handled;
      return Result<void>{};
    });
    EXPECT_TRUE(bus.publish({.channel = "x", .must_deliver = true}));
  }
  a.reset();
  loop.settle();
  EXPECT_EQ(handled, 0);
}

}  // namespace
}  // namespace conductorai::infrastructure
