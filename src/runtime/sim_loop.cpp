#include "runtime/sim_loop.hpp"

#include "base/assert.hpp"

namespace conductorai::runtime {

namespace {
constexpr std::chrono::milliseconds kEpoch{1'767'225'600'000};  // 2026-01-01T00:00:00Z
}

struct SimLoop::Pending final : Timer {
  Pending(SimLoop& owner, std::pair<std::chrono::nanoseconds, std::uint64_t> entry) : loop(owner), key(entry) {}
  ~Pending() override { loop.timers_.erase(key); }
  SimLoop& loop;
  std::pair<std::chrono::nanoseconds, std::uint64_t> key;
};

void SimLoop::post_external(std::function<void()> function) {
  std::scoped_lock lock(external_mutex_);
  external_.push_back(std::move(function));
}

Timestamp SimLoop::now() const {
  return Timestamp(kEpoch + std::chrono::duration_cast<Milliseconds>(now_));
}

std::unique_ptr<Timer> SimLoop::call_after(std::chrono::nanoseconds delay, std::function<void()> function) {
  std::pair key{now_ + std::max(delay, std::chrono::nanoseconds{0}), next_id_++};
  timers_.emplace(key, std::move(function));
  return std::make_unique<Pending>(*this, key);
}

bool SimLoop::run_ready() {
  std::function<void()> external;
  {
    std::scoped_lock lock(external_mutex_);
    if (!external_.empty()) {
      external = std::move(external_.front());
      external_.pop_front();
    }
  }
  if (external) {
    external();
    return true;
  }
  if (ready_.empty()) return false;
  auto handle = ready_.front();
  ready_.pop_front();
  handle.resume();
  return true;
}

bool SimLoop::step() {
  if (run_ready()) return true;
  if (timers_.empty()) return false;
  auto first = timers_.extract(timers_.begin());
  now_ = first.key().first;
  first.mapped()();
  return true;
}

void SimLoop::run_until(const std::function<bool()>& done) {
  while (!done()) CONDUCTORAI_ASSERT(step(), "the simulation stalled: nothing is left that could run");
}

void SimLoop::settle() {
  while (run_ready()) {
  }
}

void SimLoop::advance(std::chrono::nanoseconds duration) {
  const auto until = now_ + duration;
  settle();
  while (!timers_.empty() && timers_.begin()->first.first <= until) {
    step();
    settle();
  }
  now_ = until;
}

}  // namespace conductorai::runtime
