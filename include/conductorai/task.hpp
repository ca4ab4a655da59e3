#pragma once
// task<T>: the project's coroutine. Lazy, owned by whoever awaits it, resumed on one event-loop thread, cancelled through its context.
// Header-only on the standard library, so that a contract header costs no Asio (docs/adr/0002-own-task-type.md).

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace conductorai {

/// Where coroutines are resumed. `post` is called on the loop's own thread, `post_external` from any thread.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::coroutine_handle<> handle) = 0;
  virtual void post_external(std::function<void()> function) = 0;
};

/// A cancellation request and those who listen to it. One thread. Sticky: once cancelled it stays so.
/// A source given a parent is cancelled with it. Listeners are told once, in the order they registered.
class CancelSource {
 public:
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() { unlink(); }
    void unlink() {
      if (source_ == nullptr) return;
      (previous_ != nullptr ? previous_->next_ : source_->first_) = next_;
      (next_ != nullptr ? next_->previous_ : source_->last_) = previous_;
      source_ = nullptr;
      previous_ = next_ = nullptr;
    }

   protected:
    virtual void on_cancel() = 0;

   private:
    friend class CancelSource;
    CancelSource* source_ = nullptr;
    Listener* previous_ = nullptr;
    Listener* next_ = nullptr;
  };

  explicit CancelSource(CancelSource* parent = nullptr) : link_(*this) {
    if (parent == nullptr) return;
    if (parent->cancelled_)
      cancelled_ = true;
    else
      parent->listen(link_);
  }
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;
  ~CancelSource() {
    while (first_ != nullptr) first_->unlink();
  }

  [[nodiscard]] bool cancelled() const { return cancelled_; }

  void cancel() {
    if (std::exchange(cancelled_, true)) return;
    while (first_ != nullptr) {
      Listener* listener = first_;
      listener->unlink();
      listener->on_cancel();
    }
  }

  /// REQUIRES: not cancelled, and the listener is registered nowhere.
  void listen(Listener& listener) {
    listener.source_ = this;
    listener.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &listener;
    last_ = &listener;
  }

 private:
  struct ParentLink final : Listener {
    explicit ParentLink(CancelSource& self) : self_(self) {}
    void on_cancel() override { self_.cancel(); }
    CancelSource& self_;
  };

  bool cancelled_ = false;
  Listener* first_ = nullptr;
  Listener* last_ = nullptr;
  ParentLink link_;
};

/// What a coroutine inherits from the one that awaits it.
struct TaskEnvironment {
  Executor* executor = nullptr;
  CancelSource* cancel = nullptr;  // null: cannot be cancelled

  [[nodiscard]] bool cancelled() const { return cancel != nullptr && cancel->cancelled(); }
};

template <class T = void>
class task;

namespace detail {

struct PromiseBase {
  TaskEnvironment environment;
  std::coroutine_handle<> continuation = std::noop_coroutine();
  bool shielded = false;  // not reached by a cancellation of who awaits it

  void inherit(const TaskEnvironment& from) {
    if (environment.executor == nullptr) environment = {from.executor, shielded ? nullptr : from.cancel};
  }

  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) const noexcept {
      return handle.promise().continuation;
    }
    void await_resume() const noexcept {}
  };
  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
};

/// A larger result lies in a box: a frame would hold room for it all the time that it waits.
inline constexpr std::size_t kResultBytesInFrame = 192;

template <class T>
struct Promise final : PromiseBase {
  static constexpr bool kBoxed = sizeof(T) > kResultBytesInFrame;
  std::variant<std::monostate, std::conditional_t<kBoxed, std::unique_ptr<T>, T>, std::exception_ptr> result;
  task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    if constexpr (kBoxed && !std::is_same_v<std::remove_cvref_t<U>, std::unique_ptr<T>>)
      result.template emplace<1>(std::make_unique<T>(std::forward<U>(value)));
    else
      result.template emplace<1>(std::forward<U>(value));
  }
  void unhandled_exception() noexcept { result.template emplace<2>(std::current_exception()); }
  /// The result as it lies here.
  auto& kept() {
    if (result.index() == 2) std::rethrow_exception(std::get<2>(result));
    return std::get<1>(result);
  }
  T take() {
    if constexpr (kBoxed)
      return std::move(*kept());
    else
      return std::move(kept());
  }
};

template <>
struct Promise<void> final : PromiseBase {
  std::exception_ptr error;
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error = std::current_exception(); }
  void take() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace detail

/// A coroutine that has not started, or `done()`: no coroutine at all. Awaiting it starts it and yields its result; destroying it unstarted
/// is allowed. Pass everything a coroutine needs by value; a reference must outlive the caller by construction.
template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit task(Handle handle) : handle_(handle) {}
  /// What had nothing to wait for, with a T{} as its result (of a Result<void>: success). Costs no frame.
  static task done()
    requires(std::is_void_v<T> || std::is_default_constructible_v<T>)
  {
    return task(Handle());
  }
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  class Started {
   public:
    explicit Started(task&& owned) : task_(std::move(owned)) {}
    [[nodiscard]] bool await_ready() const noexcept { return !task_.handle_; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
      auto& promise = task_.handle_.promise();
      promise.continuation = parent;
      promise.inherit(parent.promise().environment);
      return task_.handle_;
    }

   protected:
    task task_;
  };
  struct Awaiter final : Started {
    using Started::Started;
    T await_resume() {
      if constexpr (std::is_void_v<T>) {
        if (this->task_.handle_) this->task_.handle_.promise().take();
      } else if constexpr (std::is_default_constructible_v<T>) {
        return this->task_.handle_ ? this->task_.handle_.promise().take() : T{};
      } else {
        return this->task_.handle_.promise().take();
      }
    }
  };
  struct BoxAwaiter final : Started {
    using Started::Started;
    auto await_resume() {
      using Kept = std::remove_cvref_t<decltype(this->task_.handle_.promise().kept())>;
      if (this->task_.handle_) return Kept(std::move(this->task_.handle_.promise().kept()));
      if constexpr (promise_type::kBoxed)
        return Kept(std::make_unique<T>());
      else
        return Kept();
    }
  };
  Awaiter operator co_await() && noexcept { return Awaiter(std::move(*this)); }
  /// To be awaited instead of the task by who hands its result on: a result larger than kResultBytesInFrame comes as a
  /// `std::unique_ptr<T>`, which `co_return` takes as it is, any other as `co_await` gives it.
  BoxAwaiter boxed() && noexcept { return BoxAwaiter(std::move(*this)); }

  /// Runs this task in another environment than the awaiting coroutine's (deadlines). REQUIRES: not started.
  task&& in(TaskEnvironment environment) && {
    if (handle_) handle_.promise().environment = environment;
    return std::move(*this);
  }
  /// Keeps a cancellation of who awaits it from reaching it. REQUIRES: not started.
  task&& shielded() && {
    if (handle_) handle_.promise().shielded = true;
    return std::move(*this);
  }

 private:
  Handle handle_;
};

namespace detail {
template <class T>
task<T> Promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline task<void> Promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

/// `TaskEnvironment env = co_await current_environment();`
struct current_environment {
  TaskEnvironment environment;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    environment = handle.promise().environment;
    return false;
  }
  [[nodiscard]] TaskEnvironment await_resume() const noexcept { return environment; }
};

}  // namespace conductorai
