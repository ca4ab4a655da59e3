#pragma once
// What every MessageBus does. An adapter joins by INSTANTIATE_TEST_SUITE_P with a way to make a BusUnderTest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "conductorai/message_bus.hpp"
#include "conductorai/state_manager.hpp"
#include "core/message_codec.hpp"
#include "runtime/scope.hpp"

namespace conductorai::contract {

inline constexpr std::size_t kQueueMax = 8;  // options an adapter is to be made with
inline constexpr int kHandlerTries = 3;

class BusUnderTest {
 public:
  virtual ~BusUnderTest() = default;
  virtual MessageBus& bus() = 0;
  virtual StateManager& letters() = 0;
  virtual Executor& executor() = 0;
  /// Runs until nothing is left to deliver or to write.
  virtual void settle() = 0;
  /// Lets (virtual) time pass.
  virtual void advance(Milliseconds duration) = 0;
  virtual void run_until(std::function<bool()> done) = 0;
  virtual task<Result<void>> requeue(std::int64_t id) = 0;
};

using MakeBus = std::function<std::unique_ptr<BusUnderTest>()>;

class MessageBusContract : public testing::TestWithParam<MakeBus> {
 protected:
  using Log = std::vector<std::string>;

  template <class T>
  T run(task<T> work) {
    std::optional<T> out;
    runtime::TaskScope scope(test_->executor());
    scope.spawn(runtime::detail::store(std::move(work), out));
    test_->run_until([&] { return out.has_value() && scope.running() == 0; });
    return std::move(*out);
  }
  [[nodiscard]] std::unique_ptr<Subscription> log_to(Log& log, std::string pattern, std::string name = {}) {
    return bus_.subscribe(std::move(pattern), [&log, name](MessagePtr message) {
      log.push_back(name + text(*message));
      return Result<void>{};
    });
  }
  static AgentMessage message(std::string channel, std::string body) {
    return {.channel = std::move(channel), .body = Value(std::move(body))};
  }
  static std::string text(const AgentMessage& message) {
    const auto* value = std::get_if<Value>(&message.body);
    return value != nullptr && value->as_string() != nullptr ? *value->as_string() : "?";
  }
  std::vector<DeadLetter> dead() { return run(test_->letters().dead_letters()).value(); }
  void expect_balance() {
    const auto n = bus_.counters();
    EXPECT_EQ(n.sent, n.acknowledged + n.pending + n.dead);
  }
  void TearDown() override {
    test_->settle();
    expect_balance();
    EXPECT_EQ(bus_.counters().pending, 0U);
  }

  std::unique_ptr<BusUnderTest> test_ = GetParam()();
  MessageBus& bus_ = test_->bus();
};

TEST_P(MessageBusContract, DeliversToEverySubscriberOfTheChannelAndToNoOther) {
  Log log;
  auto a = log_to(log, "x:1", "a ");
  auto b = log_to(log, "x:1", "b ");
  auto c = log_to(log, "x:12", "c ");
  EXPECT_TRUE(bus_.publish(message("x:1", "hello")));
  test_->settle();
  EXPECT_THAT(log, testing::UnorderedElementsAre("a hello", "b hello"));
  EXPECT_EQ(bus_.counters().acknowledged, 2U);
}

TEST_P(MessageBusContract, MatchesPatterns) {
  Log log;
  auto a = log_to(log, "conductor:*", "all ");
  auto b = log_to(log, "conductor:*:done", "done ");
  auto c = log_to(log, "*", "any ");
  auto d = log_to(log, "other*", "other ");
  EXPECT_TRUE(bus_.publish(message("conductor:workflow:1:done", "m")));
  test_->settle();
  EXPECT_THAT(log, testing::UnorderedElementsAre("all m", "done m", "any m"));
}

TEST_P(MessageBusContract, NeverRunsAHandlerInsidePublish) {
  Log log;
  auto a = log_to(log, "x");
  EXPECT_TRUE(bus_.publish(message("x", "m")));
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(bus_.counters().pending, 1U);
  test_->settle();
  EXPECT_EQ(log, Log{"m"});
}

TEST_P(MessageBusContract, SendsTheMoreUrgentFirstAndEqualOnesInOrder) {
  Log log;
  auto a = log_to(log, "x");
  for (auto [body, priority] : {std::pair{"n1", 0}, {"low", -5}, {"n2", 0}, {"high1", 7}, {"higher", 9}, {"high2", 7}}) {
    auto m = message("x", body);
    m.priority = priority;
    EXPECT_TRUE(bus_.publish(m));
  }
  test_->settle();
  EXPECT_EQ(log, (Log{"higher", "high1", "high2", "n1", "n2", "low"}));
}

TEST_P(MessageBusContract, TriesAPoisonMessageAFewTimesAndSetsItAside) {
  Log log;
  auto a = bus_.subscribe("x", [&log](MessagePtr m) -> Result<void> {
    log.push_back(text(*m));
    if (text(*m) == "bad") return fail(ErrorCode::internal, "no");
    return {};
  });
  EXPECT_TRUE(bus_.publish(message("x", "bad")));
  EXPECT_TRUE(bus_.publish(message("x", "good")));
  test_->settle();
  EXPECT_EQ(std::ranges::count(log, "bad"), kHandlerTries);
  EXPECT_EQ(std::ranges::count(log, "good"), 1);
  auto letters = dead();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].reason, "poison");
  EXPECT_EQ(letters[0].channel, "x");
  EXPECT_EQ(bus_.counters().dead, 1U);
}

TEST_P(MessageBusContract, AcceptsAMessageWhoseHandlerFailsOnceOnly) {
  int calls = 0;
  auto a = bus_.subscribe("x", [&calls](MessagePtr) -> Result<void> {
    if (++calls == 1) return fail(ErrorCode::unavailable, "not yet");
    return {};
  });
  EXPECT_TRUE(bus_.publish(message("x", "m")));
  test_->settle();
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(dead().empty());
}

TEST_P(MessageBusContract, KeepsWhatMustBeDeliveredAndNobodyHears) {
  EXPECT_TRUE(bus_.publish(message("nobody", "notice")));
  auto must = message("conductor:workflow:wf-7", "order");
  must.must_deliver = true;
  auto sent = bus_.publish(must);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::unavailable);
  test_->settle();
  auto letters = dead();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].reason, "undeliverable");
  EXPECT_EQ(letters[0].workflow, WorkflowId("wf-7"));
}

TEST_P(MessageBusContract, DropsWhatExpiredAndKeepsItIfItMustBeDelivered) {
  Log log;
  auto a = log_to(log, "x");
  for (bool must : {false, true}) {
    auto m = message("x", must ? "kept" : "dropped");
    m.ttl = Milliseconds(0);
    m.must_deliver = must;
    EXPECT_TRUE(bus_.publish(m));
  }
  auto fresh = message("x", "fresh");
  fresh.ttl = Milliseconds(60'000);
  EXPECT_TRUE(bus_.publish(fresh));
  test_->settle();
  EXPECT_EQ(log, Log{"fresh"});
  auto letters = dead();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].reason, "expired");
  EXPECT_EQ(bus_.counters().dead, 2U);
}

TEST_P(MessageBusContract, RefusesMoreThanASubscribersBound) {
  Log log;
  auto a = log_to(log, "x");
  for (std::size_t n = 0; n < kQueueMax; ++n) EXPECT_TRUE(bus_.publish(message("x", "m")));
  auto over = message("x", "over");
  over.must_deliver = true;
  auto refused = bus_.publish(over);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  test_->settle();
  EXPECT_EQ(log.size(), kQueueMax);
  EXPECT_EQ(dead().size(), 1U);
  EXPECT_TRUE(bus_.publish(message("x", "room again")));
}

TEST_P(MessageBusContract, StopsWithTheSubscription) {
  Log log;
  auto a = log_to(log, "x");
  auto must = message("x", "queued");
  must.must_deliver = true;
  EXPECT_TRUE(bus_.publish(must));
  EXPECT_TRUE(bus_.publish(message("x", "notice")));
  a.reset();
  test_->settle();
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(bus_.counters().dead, 2U);
  ASSERT_EQ(dead().size(), 1U);
  EXPECT_FALSE(bus_.publish(must));
}

TEST_P(MessageBusContract, LetsAHandlerUnsubscribeItselfAndPublish) {
  Log log;
  std::unique_ptr<Subscription> once, other;
  once = bus_.subscribe("x", [&](MessagePtr m) -> Result<void> {
    log.push_back(text(*m));
    once.reset();
    other = log_to(log, "y", "then ");
    return bus_.publish(message("y", "more"));
  });
  EXPECT_TRUE(bus_.publish(message("x", "1")));
  EXPECT_TRUE(bus_.publish(message("x", "2")));
  test_->settle();
  EXPECT_EQ(log, (Log{"1", "then more"}));
}

TEST_P(MessageBusContract, RequeuesADeadLetterWhole) {
  auto must = message("x", "precious");
  must.must_deliver = true;
  must.priority = 4;
  must.from = "me";
  EXPECT_FALSE(bus_.publish(must));
  test_->settle();
  const auto id = dead().at(0).id;
  MessagePtr got;
  auto a = bus_.subscribe("x", [&got](MessagePtr m) {
    got = std::move(m);
    return Result<void>{};
  });
  EXPECT_TRUE(run(test_->requeue(id)));
  test_->settle();
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(core::encode_message(*got), core::encode_message(must));
  EXPECT_TRUE(dead().empty());
  EXPECT_EQ(run(test_->requeue(id)).error().code, ErrorCode::not_found);
}

TEST_P(MessageBusContract, LosesNoLetterThatCannotBeRequeued) {
  auto must = message("x", "precious");
  must.must_deliver = true;
  EXPECT_FALSE(bus_.publish(must));
  test_->settle();
  EXPECT_EQ(run(test_->requeue(dead().at(0).id)).error().code, ErrorCode::unavailable);  // still nobody there
  test_->settle();
  EXPECT_EQ(dead().size(), 1U);
  auto rubbish = run(test_->letters().put_dead_letter({.channel = "x", .reason = "poison", .message = "{rubbish"}));
  ASSERT_TRUE(rubbish);
  EXPECT_EQ(run(test_->requeue(*rubbish)).error().code, ErrorCode::data_corrupted);
  EXPECT_EQ(dead().size(), 2U);
}

inline std::unique_ptr<Subscription> echo(MessageBus& bus, std::string channel) {
  return bus.subscribe(std::move(channel), [&bus](MessagePtr asked) {
    return bus.publish({.channel = asked->reply_to, .correlation = asked->correlation, .body = asked->body});
  });
}

TEST_P(MessageBusContract, AnswersARequest) {
  auto service = echo(bus_, "service");
  auto answer = run(bus_.request(message("service", "ping"), Milliseconds(1000)));
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(text(**answer), "ping");
}

inline task<void> ask(MessageBus& bus, std::string body, std::vector<std::string>& log) {
  auto answer = co_await bus.request({.channel = "service", .body = Value(body)}, Milliseconds(1000));
  log.push_back(body + "=" + (answer ? *std::get<Value>((*answer)->body).as_string() : std::string(to_string(answer.error().code))));
}

TEST_P(MessageBusContract, GivesEachRequestItsOwnAnswer) {
  std::vector<MessagePtr> asked;
  auto service = bus_.subscribe("service", [&](MessagePtr m) {
    asked.push_back(m);
    return Result<void>{};
  });
  Log log;
  runtime::TaskScope scope(test_->executor());
  for (const char* body : {"a", "b", "c"}) scope.spawn(ask(bus_, body, log));
  test_->run_until([&] { return asked.size() == 3; });
  for (std::size_t n : {2U, 0U, 1U})
    EXPECT_TRUE(bus_.publish({.channel = asked[n]->reply_to, .correlation = asked[n]->correlation, .body = asked[n]->body}));
  test_->run_until([&] { return scope.running() == 0; });
  EXPECT_THAT(log, testing::UnorderedElementsAre("a=a", "b=b", "c=c"));
  // A second and a late answer find nobody.
  EXPECT_TRUE(bus_.publish({.channel = asked[0]->reply_to, .correlation = asked[0]->correlation, .body = asked[0]->body}));
  test_->settle();
}

TEST_P(MessageBusContract, EndsARequestAtItsDeadline) {
  Log log;
  auto service = log_to(log, "service");
  auto answer = run(bus_.request(message("service", "ping"), Milliseconds(50)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
  EXPECT_EQ(log, Log{"ping"});
}

TEST_P(MessageBusContract, RefusesARequestNobodyHears) {
  auto answer = run(bus_.request(message("service", "ping"), Milliseconds(1000)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

TEST_P(MessageBusContract, EndsARequestWithItsCaller) {
  Log log, heard;
  auto service = log_to(heard, "service");
  runtime::TaskScope scope(test_->executor());
  scope.spawn(ask(bus_, "a", log));
  test_->run_until([&] { return !heard.empty(); });
  scope.cancel();
  test_->run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(log, Log{"a=cancelled"});
}

TEST_P(MessageBusContract, BalancesSentAcknowledgedPendingAndDeadWhateverHappens) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    auto pick = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    std::vector<std::unique_ptr<Subscription>> subscriptions;
    const std::vector<std::string> channels{"a:1", "a:2", "b:1", "a:*", "*"};
    for (int step = 0; step < 200; ++step) {
      switch (pick(6)) {
        case 0:
          subscriptions.push_back(
              bus_.subscribe(channels[static_cast<std::size_t>(pick(5))], [failing = pick(3) == 0](MessagePtr m) -> Result<void> {
                if (failing && m->priority > 0) return fail(ErrorCode::internal, "no");
                return {};
              }));
          break;
        case 1:
          if (!subscriptions.empty()) subscriptions.erase(subscriptions.begin() + pick(static_cast<int>(subscriptions.size())));
          break;
        case 2: test_->settle(); break;
        default: {
          auto m = message(channels[static_cast<std::size_t>(pick(3))], "m");
          m.priority = pick(3) - 1;
          m.must_deliver = pick(2) == 0;
          if (pick(4) == 0) m.ttl = Milliseconds(pick(2) * 1000);
          (void)bus_.publish(std::move(m));
        }
      }
      expect_balance();
    }
    subscriptions.clear();
    test_->settle();
    expect_balance();
    EXPECT_EQ(bus_.counters().pending, 0U) << "seed " << seed;
  }
}

}  // namespace conductorai::contract
