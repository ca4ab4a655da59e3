#pragma once
// Suspension: the one awaitable everything else is built from. Completed once or cancelled, whichever is first; resumed by a post.

#include <coroutine>

#include "base/assert.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"

namespace conductorai::runtime {

/// `co_await suspension` tells how it ended; `co_await suspension.over()` keeps no room for that in a frame that waits.
/// Await it once, on the loop's thread; it must outlive the await (a local of the awaiting coroutine).
class Suspension : private CancelSource::Listener {
 public:
  Suspension() = default;
  ~Suspension() override = default;

  /// Ends the wait with success; later calls and a later cancellation change nothing.
  void complete() { finish(State::completed); }
  [[nodiscard]] bool finished() const { return state_ != State::waiting; }

  [[nodiscard]] bool await_ready() const noexcept { return state_ != State::waiting; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return suspend(handle, handle.promise().environment);
  }
  Result<void> await_resume() {
    unlink();
    if (state_ == State::cancelled) return fail(ErrorCode::cancelled, "cancelled");
    return {};
  }

  struct Over {
    Suspension& suspension;
    [[nodiscard]] bool await_ready() const noexcept { return suspension.await_ready(); }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
      return suspension.await_suspend(handle);
    }
    void await_resume() const noexcept { suspension.unlink(); }
  };
  Over over() { return {*this}; }

 protected:
  /// For structures that hold waiters in lists: called when the wait ends by cancellation, before the coroutine is resumed.
  virtual void on_cancelled() {}
  /// False: it was cancelled before it began.
  bool suspend(std::coroutine_handle<> handle, const TaskEnvironment& environment) {
    if (environment.cancelled()) {
      state_ = State::cancelled;
      return false;
    }
    executor_ = environment.executor;
    handle_ = handle;
    if (environment.cancel != nullptr) environment.cancel->listen(*this);
    return true;
  }

 private:
  enum class State { waiting, completed, cancelled };

  void on_cancel() override {
    if (state_ != State::waiting) return;
    on_cancelled();
    finish(State::cancelled);
  }
  void finish(State state) {
    if (state_ != State::waiting) return;
    state_ = state;
    if (handle_) executor_->post(handle_);
  }

  State state_ = State::waiting;
  Executor* executor_ = nullptr;
  std::coroutine_handle<> handle_;
};

}  // namespace conductorai::runtime
