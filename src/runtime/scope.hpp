#pragma once
// TaskScope: keeps every coroutine on a leash. Spawn into it, cancel it, join it; make it the owner's last member.

#include <functional>
#include <memory>
#include <unordered_set>

#include "conductorai/clock.hpp"
#include "conductorai/task.hpp"
#include "runtime/event.hpp"

namespace conductorai::runtime {

class TaskScope {
 public:
  /// `parent`: cancelled with it; may be null.
  explicit TaskScope(Executor& executor, CancelSource* parent = nullptr) : executor_(executor), cancel_(parent) {}
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  /// REQUIRES: joined (nothing runs in it any more).
  ~TaskScope();

  /// Starts by a post, never inside the call. An exception that leaves `work` is a defect and ends the process.
  void spawn(task<void> work);
  /// The same with a cancellation of its own below the scope's.
  void spawn(task<void> work, CancelSource& cancel);

  void cancel() { cancel_.cancel(); }
  [[nodiscard]] CancelSource& cancel_source() { return cancel_; }
  [[nodiscard]] std::size_t running() const { return running_; }
  /// Waits until nothing runs in it. Not cancellable: a scope is always joined.
  task<void> join();

 private:
  struct Root;
  static Root drive(TaskScope& scope, task<void> work, TaskEnvironment environment);

  Executor& executor_;
  CancelSource cancel_;
  std::size_t running_ = 0;
  Event idle_;
};

/// Runs `work`; past `deadline` it is cancelled and the answer is a timeout error naming `what`. T is a Result<…>.
template <class R>
task<R> with_deadline(Clock& clock, std::chrono::nanoseconds deadline, std::string what, task<R> work) {
  TaskEnvironment environment = co_await current_environment();
  CancelSource cancel(environment.cancel);
  bool timed_out = false;
  auto timer = clock.call_after(deadline, [&] {
    timed_out = true;
    cancel.cancel();
  });
  R result = co_await std::move(work).in({environment.executor, &cancel});
  timer.reset();
  if (timed_out && !result)
    co_return fail(ErrorCode::timeout,
                   what + " took longer than " + std::to_string(std::chrono::duration_cast<Milliseconds>(deadline).count()) + " ms");
  co_return result;
}

/// Runs `work` so that a cancellation of the caller does not reach it: for writes and clean-up that end in bounded time.
template <class T>
task<T> shielded(task<T> work) {
  return std::move(work).shielded();
}

/// Runs a task to its end on a loop of its own kind: `drive(loop, f())`. For main, tests and the facade.
template <class Loop, class T>
T run_to_end(Loop& loop, task<T> work);

}  // namespace conductorai::runtime

#include "runtime/scope_inl.hpp"
