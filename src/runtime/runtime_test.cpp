#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <future>

#include "runtime/loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/scope.hpp"
#include "runtime/sim_loop.hpp"

namespace conductorai::runtime {
namespace {

using namespace std::chrono_literals;
using conductorai::detail::kResultBytesInFrame;

task<int> answer() {
  co_return 42;
}
task<int> doubled() {
  co_return 2 * co_await answer();
}
task<int> thrower() {
  throw std::runtime_error("boom");
  co_return 0;
}

TEST(Task, YieldsTheValueOfWhatItAwaits) {
  SimLoop loop;
  EXPECT_EQ(run_to_end(loop, doubled()), 84);
}

TEST(Task, PassesAnExceptionToItsAwaiter) {
  SimLoop loop;
  auto body = []() -> task<bool> {
    try {
      co_await thrower();
    } catch (const std::runtime_error&) {
      co_return true;
    }
    co_return false;
  };
  EXPECT_TRUE(run_to_end(loop, body()));
}

using Large = std::array<char, 2 * kResultBytesInFrame>;
task<Large> large(bool broken) {
  if (broken) throw std::runtime_error("boom");
  co_return Large{'a'};
}
task<Large> handed_on(bool broken, Large*& where) {
  auto result = co_await large(broken).boxed();
  where = result.get();
  co_return result;
}

TEST(Task, HandsALargeResultOnInItsBox) {
  SimLoop loop;
  auto body = []() -> task<bool> {
    Large* seen = nullptr;
    auto result = co_await shielded(handed_on(false, seen)).boxed();
    co_return result.get() == seen && result->front() == 'a';
  };
  EXPECT_TRUE(run_to_end(loop, body()));
}

TEST(Task, PassesAnExceptionToWhoHandsALargeResultOn) {
  SimLoop loop;
  auto body = []() -> task<bool> {
    Large* seen = nullptr;
    try {
      co_await handed_on(true, seen);
    } catch (const std::runtime_error&) {
      co_return seen == nullptr;
    }
    co_return false;
  };
  EXPECT_TRUE(run_to_end(loop, body()));
}

TEST(Task, OneThatIsDoneYieldsAnEmptyResultAtOnceHoweverItIsAwaited) {
  SimLoop loop;
  auto body = [](SimLoop& on) -> task<bool> {
    co_await task<void>::done();
    const Result<void> nothing = co_await task<Result<void>>::done();
    const int number = co_await task<int>::done().in({&on, nullptr});
    const auto large = co_await shielded(task<Large>::done()).boxed();
    const auto small = co_await task<int>::done().boxed();
    co_return nothing&& number == 0 && *large == Large{} && small == 0;
  };
  EXPECT_TRUE(run_to_end(loop, body(loop)));
}

task<Result<void>> sleeper(SimLoop& loop, std::chrono::nanoseconds d) {
  co_return co_await sleep_for(loop, d);
}

task<void> sleep_under_shield(SimLoop& loop, std::string& log) {
  const auto shielded_sleep = co_await shielded(sleeper(loop, 1s));
  const auto plain_sleep = co_await sleeper(loop, 1s);
  log = std::string(shielded_sleep ? "slept" : "cancelled") + ", " + (plain_sleep ? "slept" : "cancelled");
}

TEST(Shield, KeepsACancellationFromWhatItHoldsAndFromNothingElse) {
  SimLoop loop;
  std::string log;
  TaskScope scope(loop);
  scope.spawn(sleep_under_shield(loop, log));
  loop.settle();
  scope.cancel();
  run_to_end(loop, scope.join());
  EXPECT_EQ(log, "slept, cancelled");
}

task<void> wait_over(Suspension& wait, std::string& log) {
  co_await wait.over();
  log += wait.finished() ? "over" : "?";
}

TEST(Suspension, IsOverWhenItIsCompletedAndWhenItIsCancelled) {
  SimLoop loop;
  std::string log;
  Suspension completed, cancelled;
  TaskScope scope(loop);
  scope.spawn(wait_over(completed, log));
  CancelSource cancel;
  scope.spawn(wait_over(cancelled, log), cancel);
  loop.settle();
  EXPECT_EQ(log, "");
  completed.complete();
  cancel.cancel();
  run_to_end(loop, scope.join());
  EXPECT_EQ(log, "overover");
}

TEST(Deadline, CancelsWhatTakesTooLongAndSaysSo) {
  SimLoop loop;
  auto result = run_to_end(loop, with_deadline(loop, 50ms, "the nap", sleeper(loop, 1h)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  EXPECT_EQ(loop.steady_now().time_since_epoch(), 50ms);
}

TEST(Deadline, LeavesWhatIsInTimeAlone) {
  SimLoop loop;
  EXPECT_TRUE(run_to_end(loop, with_deadline(loop, 1h, "the nap", sleeper(loop, 5ms))));
}

task<void> record(SimLoop& loop, std::vector<std::string>& log) {
  auto r = co_await sleep_for(loop, 1h);
  log.push_back(r ? "slept" : std::string(to_string(r.error().code)));
}

TEST(TaskScope, CancelReachesEveryChildAndJoinWaitsForThem) {
  SimLoop loop;
  std::vector<std::string> log;
  TaskScope scope(loop);
  scope.spawn(record(loop, log));
  scope.spawn(record(loop, log));
  loop.settle();
  EXPECT_TRUE(log.empty());
  scope.cancel();
  run_to_end(loop, scope.join());
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled", "cancelled"}));
}

task<Result<void>> hold(Semaphore& s, Event& go, int& inside, int& most) {
  if (auto turn = co_await s.acquire(); !turn) co_return turn;
  most = std::max(most, ++inside);
  auto waited = co_await go.wait();
  --inside;
  s.release();
  co_return waited;
}
task<void> hold_v(Semaphore& s, Event& go, int& inside, int& most) {
  (void)co_await hold(s, go, inside, most);
}

TEST(Semaphore, NeverLetsMoreInThanItHasPermits) {
  SimLoop loop;
  Semaphore semaphore(2);
  Event go;
  int inside = 0, most = 0;
  TaskScope scope(loop);
  for (int i = 0; i < 5; ++i) scope.spawn(hold_v(semaphore, go, inside, most));
  loop.settle();
  EXPECT_EQ(inside, 2);
  go.set();
  run_to_end(loop, scope.join());
  EXPECT_EQ(most, 2);
}

TEST(Worker, BringsTheValueBackToTheLoop) {
  Loop loop;
  Worker worker;
  auto on = std::this_thread::get_id();
  auto body = [](Worker& w, std::thread::id home) -> task<bool> {
    auto there = co_await w.run([] { return std::this_thread::get_id(); });
    co_return there != home&& std::this_thread::get_id() == home;
  };
  EXPECT_TRUE(run_to_end(loop, body(worker, on)));
}

task<void> ask(Worker& worker, int number, std::vector<int>& answers) {
  auto answer = co_await worker.run([number] { return number; });
  answers.push_back(answer);
}

TEST(Worker, DoesAllThatOneTurnAsksForInItsOrder) {
  Loop loop;
  std::vector<int> answers, expected;
  Worker worker;
  TaskScope scope(loop);
  for (int i = 0; i < 1'000; ++i) {
    scope.spawn(ask(worker, i, answers));
    expected.push_back(i);
  }
  run_to_end(loop, scope.join());
  EXPECT_EQ(answers, expected);
}

TEST(Worker, AnswersOneThatIsDoneBeforeALongOneBehindIt) {
  Loop loop;
  Worker worker;
  std::vector<int> answers;
  std::promise<void> go_on;
  TaskScope scope(loop);
  const auto first = [](Worker& w, std::vector<int>& out) -> task<void> {
    auto answer = co_await w.run([] {
      std::this_thread::sleep_for(2ms);  // longer than what waits for others
      return 1;
    });
    out.push_back(answer);
  };
  const auto long_one = [](Worker& w, std::promise<void>& promise) -> task<void> {
    (void)co_await w.run([&promise] { return promise.get_future().wait_for(10s) == std::future_status::ready; });
  };
  scope.spawn(first(worker, answers));
  scope.spawn(long_one(worker, go_on));
  loop.run_until([&] { return !answers.empty(); });
  go_on.set_value();
  run_to_end(loop, scope.join());
}

TEST(Worker, PassesAnExceptionToWhoAsked) {
  Loop loop;
  Worker worker;
  auto body = [](Worker& w) -> task<bool> {
    try {
      co_await w.run([]() -> int { throw std::runtime_error("boom"); });
    } catch (const std::runtime_error&) {
      co_return true;
    }
    co_return false;
  };
  EXPECT_TRUE(run_to_end(loop, body(worker)));
}

TEST(Loop, WakesWhenAPipeBecomesReadable) {
  Loop loop;
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  auto timer = loop.call_after(1ms, [&] { EXPECT_EQ(::write(fds[1], "x", 1), 1); });
  EXPECT_TRUE(run_to_end(loop, loop.readable(fds[0])));
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(Loop, CallsWheneverAWatchedPipeIsReadableUntilTheWatchIsGone) {
  Loop loop;
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  int calls = 0;
  std::unique_ptr<Watch> watch;
  auto made = loop.on_readable(fds[0], [&] {
    char byte = 0;
    EXPECT_EQ(::read(fds[0], &byte, 1), 1);
    if (++calls == 3) watch.reset();  // in its own call
    EXPECT_EQ(::write(fds[1], "x", 1), 1);
  });
  ASSERT_TRUE(made);
  watch = std::move(*made);
  EXPECT_EQ(::write(fds[1], "x", 1), 1);
  loop.run_until([&] { return calls == 3; });
  EXPECT_TRUE(run_to_end(loop, sleep_for(loop, 1ms)));
  EXPECT_EQ(calls, 3);
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(Loop, SleepsByTheMonotonicClock) {
  Loop loop;
  auto before = loop.steady_now();
  EXPECT_TRUE(run_to_end(loop, sleep_for(loop, 5ms)));
  EXPECT_GE(loop.steady_now() - before, 5ms);
}

task<void> push_later(SimLoop& loop, Mailbox<int>& box) {
  (void)co_await sleep_for(loop, 1ms);
  box.push(1);
  box.push(2);
}

TEST(Loop, CallsByTimeAndWhatIsDueAtOneTimeInTheOrderOfItsMaking) {
  Loop loop;
  std::string order;
  std::vector<std::unique_ptr<Timer>> timers;
  timers.push_back(loop.call_after(200ms, [&] { order += 'd'; }));
  timers.push_back(loop.call_after(100ms, [&] { order += 'c'; }));
  timers.push_back(loop.call_after(0ms, [&] { order += 'a'; }));
  timers.push_back(loop.call_after(0ms, [&] { order += 'b'; }));
  timers.push_back(loop.call_after(std::chrono::nanoseconds::max(), [&] { order += 'x'; }));
  loop.run_until([&] { return order.size() == 4; });
  EXPECT_EQ(order, "abcd");
}

TEST(Loop, ACallMayTakeBackItsOwnTimerAndOthersAndSetNewOnes) {
  Loop loop;
  std::string order;
  std::unique_ptr<Timer> own, other, later;
  own = loop.call_after(1ms, [&] {
    order += '1';
    own.reset();
    other.reset();
    later = loop.call_after(0ms, [&] { order += '3'; });
  });
  other = loop.call_after(1ms, [&] { order += '2'; });
  loop.run_until([&] { return order.size() == 2; });
  EXPECT_EQ(order, "13");
}

TEST(Loop, ATimerTakenBackLeavesTheLaterOnesAsTheyWere) {
  Loop loop;
  bool called = false;
  auto first = loop.call_after(1ms, [] { FAIL() << "it was taken back"; });
  const auto second = loop.call_after(3ms, [&] { called = true; });
  first.reset();
  loop.run_until([&] { return called; });
}

task<Result<std::vector<int>>> taken(Mailbox<int>& box, std::size_t most, CancelSource* cancel) {
  auto items = co_await box.take(most, cancel);
  co_return items;
}

TEST(Mailbox, HandsOverWhatWaitsInOrderAndNoMoreThanAskedFor) {
  SimLoop loop;
  Mailbox<int> box;
  TaskScope scope(loop);
  scope.spawn(push_later(loop, box));
  EXPECT_EQ(run_to_end(loop, taken(box, 9, nullptr)).value(), (std::vector<int>{1, 2}));
  for (int i = 3; i <= 7; ++i) box.push(i);
  EXPECT_EQ(run_to_end(loop, taken(box, 2, nullptr)).value(), (std::vector<int>{3, 4}));
  EXPECT_EQ(box.size(), 3U);
  box.push(8);
  EXPECT_EQ(run_to_end(loop, taken(box, 3, nullptr)).value(), (std::vector<int>{5, 6, 7}));
  EXPECT_EQ(run_to_end(loop, taken(box, 3, nullptr)).value(), (std::vector<int>{8}));
  EXPECT_TRUE(box.empty());
  run_to_end(loop, scope.join());
}

TEST(Mailbox, AWaitThatIsCancelledTakesNothing) {
  SimLoop loop;
  Mailbox<int> box;
  CancelSource cancel;
  std::optional<Result<std::vector<int>>> out;
  TaskScope scope(loop);
  scope.spawn(detail::store(taken(box, 9, &cancel), out));
  loop.settle();
  cancel.cancel();
  run_to_end(loop, scope.join());
  EXPECT_EQ(out->error().code, ErrorCode::cancelled);
  box.push(1);
  EXPECT_EQ(run_to_end(loop, taken(box, 9, nullptr)).value(), (std::vector<int>{1}));
  EXPECT_EQ(run_to_end(loop, taken(box, 9, &cancel)).error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace conductorai::runtime
