#pragma once
// Worker: one thread behind a port (SQLite, hashing of large files). `co_await worker.run(f)` yields f's value on the loop.

#include <coroutine>
#include <exception>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "conductorai/task.hpp"
#include "runtime/hand_over.hpp"

namespace conductorai::runtime {

/// All who ask run on one loop. Short jobs come back together.
class Worker {
 public:
  Worker();
  /// Runs what is queued, then joins. On the loop's thread.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Not cancellable: the job runs to its end in bounded time. An exception of `function` reaches the awaiter.
  template <class F, class R = std::invoke_result_t<F>>
  task<R> run(F function) {
    Call<F, R> call(std::move(function));
    co_await Taken{*this, call};
    if (call.error) std::rethrow_exception(call.error);
    co_return std::move(*call.out);
  }

 private:
  /// Lives in the frame of the coroutine that awaits it.
  struct Job {
    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    virtual ~Job() = default;
    virtual void perform() noexcept = 0;
    std::coroutine_handle<> waiting;
    Executor* executor = nullptr;  // of who waits
  };
  template <class F, class R>
  struct Call final : Job {
    explicit Call(F f) : function(std::move(f)) {}
    void perform() noexcept override {
      try {
        out.emplace(function());
      } catch (...) {
        error = std::current_exception();
      }
    }
    F function;
    std::optional<R> out;
    std::exception_ptr error;
  };
  struct Taken {
    Worker& worker;
    Job& job;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> handle) {
      job.waiting = handle;
      job.executor = handle.promise().environment.executor;
      worker.jobs_.give(*job.executor, job);
    }
    void await_resume() const noexcept {}
  };
  using Batch = HandOver<Job>::Batch;

  void loop();
  static void perform(const Batch& batch);
  static void complete(Batch done);

  HandOver<Job> jobs_;
  std::thread thread_;
};

}  // namespace conductorai::runtime
