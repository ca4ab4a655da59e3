#include "runtime/scope.hpp"

#include "base/assert.hpp"

namespace conductorai::runtime {

// The only detached coroutine of the project: a frame that frees itself at its end.
struct TaskScope::Root {
  struct promise_type {
    TaskEnvironment environment;
    promise_type(TaskScope&, task<void>&, TaskEnvironment inherited) : environment(inherited) {}
    Root get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};

TaskScope::Root TaskScope::drive(TaskScope& scope, task<void> work, TaskEnvironment) {
  co_await std::move(work);
  if (--scope.running_ == 0) scope.idle_.wake();
}

TaskScope::~TaskScope() {
  CONDUCTORAI_ASSERT(running_ == 0, "a TaskScope must be joined before it is destroyed");
}

void TaskScope::spawn(task<void> work) {
  spawn(std::move(work), cancel_);
}

void TaskScope::spawn(task<void> work, CancelSource& cancel) {
  ++running_;
  executor_.post(drive(*this, std::move(work), TaskEnvironment{&executor_, &cancel}).handle);
}

task<void> TaskScope::join() {
  while (running_ > 0) (void)co_await idle_.wait().in({&executor_, nullptr});
}

}  // namespace conductorai::runtime

namespace conductorai {

namespace {
task<Result<void>> sleep(Clock& clock, std::chrono::nanoseconds duration) {
  runtime::Suspension wait;
  auto timer = clock.call_after(duration, [&] { wait.complete(); });
  co_return co_await wait;
}
}  // namespace

task<Result<void>> sleep_for(Clock& clock, std::chrono::nanoseconds duration) {
  return sleep(clock, duration);
}

}  // namespace conductorai
