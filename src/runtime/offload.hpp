#pragma once
// Worker: one thread behind a port (SQLite, hashing of large files). `co_await worker.run(f)` yields f's value on the loop.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "conductorai/task.hpp"
#include "runtime/suspension.hpp"

namespace conductorai::runtime {

class Worker {
 public:
  Worker();
  /// Runs what is queued, then joins.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// From any thread.
  void submit(std::function<void()> job);

  /// Not cancellable: the job runs to its end in bounded time. An exception of `function` reaches the awaiter.
  template <class F, class R = std::invoke_result_t<F>>
  task<R> run(F function) {
    TaskEnvironment environment = co_await current_environment();
    std::optional<R> out;
    std::exception_ptr error;
    Suspension done;
    submit([&, executor = environment.executor] {
      try {
        out.emplace(function());
      } catch (...) {
        error = std::current_exception();
      }
      executor->post_external([&done] { done.complete(); });
    });
    co_await uncancellable(done).in({environment.executor, nullptr});
    if (error) std::rethrow_exception(error);
    co_return std::move(*out);
  }

 private:
  static task<void> uncancellable(Suspension& wait) { (void)co_await wait; }
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace conductorai::runtime
