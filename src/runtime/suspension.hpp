#pragma once
// Suspension: the one awaitable everything else is built from. Completed once or cancelled, whichever is first; resumed by a post.

#include <coroutine>

#include "base/assert.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"

namespace conductorai::runtime {

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
    const TaskEnvironment& environment = handle.promise().environment;
    if (environment.cancelled()) {
      state_ = State::cancelled;
      return false;
    }
    executor_ = environment.executor;
    handle_ = handle;
    if (environment.cancel != nullptr) environment.cancel->listen(*this);
    return true;
  }
  Result<void> await_resume() {
    unlink();
    if (state_ == State::cancelled) return fail(ErrorCode::cancelled, "cancelled");
    return {};
  }

 protected:
  /// For structures that hold waiters in lists: called when the wait ends by cancellation, before the coroutine is resumed.
  virtual void on_cancelled() {}

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
