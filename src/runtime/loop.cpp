#include "runtime/loop.hpp"

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <deque>

#include "runtime/suspension.hpp"
#include "runtime/timer_queue.hpp"

namespace conductorai::runtime {

namespace asio = boost::asio;

struct Loop::Impl {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  TimerQueue timers{io};
  std::deque<std::coroutine_handle<>> ready;
};

namespace {

constexpr int kResumedBetweenLooks = 64;

/// A descriptor of the loop's own, so that closing it never closes the caller's.
Result<int> duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail(ErrorCode::resource_exhausted, std::string("cannot wait for a descriptor: ") + std::strerror(errno));
  return copy;
}

class AsioWatch final : public Watch {
 public:
  AsioWatch(asio::io_context& io, int fd, std::function<void()> function) : state_(std::make_shared<State>(io, fd, std::move(function))) {
    wait(state_);
  }
  ~AsioWatch() override {
    state_->ended = true;
    boost::system::error_code ignored;
    state_->descriptor.close(ignored);
  }
  AsioWatch(const AsioWatch&) = delete;
  AsioWatch& operator=(const AsioWatch&) = delete;

 private:
  struct State {
    State(asio::io_context& io, int fd, std::function<void()> f) : descriptor(io, fd), function(std::move(f)) {}
    asio::posix::stream_descriptor descriptor;
    std::function<void()> function;
    bool ended = false;
  };
  static void wait(const std::shared_ptr<State>& state) {
    state->descriptor.async_wait(asio::posix::descriptor_base::wait_read, [state](boost::system::error_code) {
      if (state->ended) return;
      state->function();
      if (!state->ended) wait(state);
    });
  }
  std::shared_ptr<State> state_;
};

/// One readiness wait.
class FdWait final : public Suspension {
 public:
  FdWait(asio::io_context& io, int fd, asio::posix::descriptor_base::wait_type type) : state_(std::make_shared<State>(io, fd)) {
    state_->wait = this;
    state_->descriptor.async_wait(type, [state = state_](boost::system::error_code) {
      if (state->wait != nullptr) state->wait->complete();
    });
  }
  ~FdWait() override {
    state_->wait = nullptr;
    boost::system::error_code ignored;
    state_->descriptor.close(ignored);
  }

 private:
  struct State {
    State(asio::io_context& io, int fd) : descriptor(io, fd) {}
    asio::posix::stream_descriptor descriptor;
    FdWait* wait = nullptr;
  };
  std::shared_ptr<State> state_;
};

}  // namespace

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::post(std::coroutine_handle<> handle) {
  impl_->ready.push_back(handle);
}

void Loop::post_external(std::function<void()> function) {
  asio::post(impl_->io, std::move(function));
}

Timestamp Loop::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

Instant Loop::steady_now() const {
  return std::chrono::steady_clock::now();
}

std::unique_ptr<Timer> Loop::call_after(std::chrono::nanoseconds delay, std::function<void()> function) {
  return impl_->timers.call_after(delay, std::move(function));
}

namespace {
task<Result<void>> ready(asio::io_context& io, int fd, asio::posix::descriptor_base::wait_type type) {
  auto copy = duplicate(fd);
  if (!copy) co_return fail(copy.error());
  FdWait wait(io, *copy, type);
  co_return co_await wait;
}
}  // namespace

task<Result<void>> Loop::readable(int fd) {
  return ready(impl_->io, fd, asio::posix::descriptor_base::wait_read);
}

task<Result<void>> Loop::writable(int fd) {
  return ready(impl_->io, fd, asio::posix::descriptor_base::wait_write);
}

Result<std::unique_ptr<Watch>> Loop::on_readable(int fd, std::function<void()> function) {
  auto copy = duplicate(fd);
  if (!copy) return fail(copy.error());
  return std::make_unique<AsioWatch>(impl_->io, *copy, std::move(function));
}

void Loop::run_until(const std::function<bool()>& done) {
  while (!done()) {
    if (impl_->ready.empty()) {
      impl_->io.run_one();
      continue;
    }
    // What is ready, then a look at the outside, so that neither starves. A look is a system call: not after every hop.
    for (int n = 0; n < kResumedBetweenLooks && !impl_->ready.empty(); ++n) {
      auto handle = impl_->ready.front();
      impl_->ready.pop_front();
      handle.resume();
    }
    impl_->io.poll();
  }
}

}  // namespace conductorai::runtime
