#include "infrastructure/bus/subscriber.hpp"

#include <coroutine>
#include <exception>

namespace conductorai::infrastructure {

namespace {
constexpr int kBatch = 64;  // deliveries a turn, so that one busy subscriber does not hold up the loop
}

// Owns its frame: lives from the first queued message until the queue is empty, so an idle subscriber costs no coroutine.
struct Subscriber::Drain {
  struct promise_type {
    Drain get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};

struct Subscriber::Yield {
  Executor& executor;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const { executor.post(handle); }
  void await_resume() const noexcept {}
};

Subscriber::Drain Subscriber::drain(std::shared_ptr<Subscriber> self) {
  while (true) {
    for (int n = kBatch; n > 0 && self->waiting_ > 0; --n) self->deliver(self->take_first());
    if (self->waiting_ == 0) break;
    co_await Yield{self->executor_};
  }
  self->draining_ = false;
}

void Subscriber::push(Delivery delivery) {
  enqueue(std::move(delivery));
  if (std::exchange(draining_, true)) return;
  executor_.post(drain(shared_from_this()).handle);
}

void Subscriber::enqueue(Delivery delivery) {
  const int priority = delivery.message->priority;
  (priority == 0 ? ordinary_ : other_priorities_[priority]).push_back(std::move(delivery));
  ++waiting_;
}

Delivery Subscriber::take_first() {
  --waiting_;
  auto other = other_priorities_.begin();
  if (!ordinary_.empty() && (other == other_priorities_.end() || other->first < 0)) {
    Delivery first = std::move(ordinary_.front());
    ordinary_.pop_front();
    return first;
  }
  Delivery first = std::move(other->second.front());
  other->second.pop_front();
  if (other->second.empty()) other_priorities_.erase(other);
  return first;
}

void Subscriber::deliver(Delivery delivery) {
  if (delivery.expires_at && clock_.steady_now() >= *delivery.expires_at) return ledger_->dead(delivery, "expired");
  if (handler_(delivery.message)) return ledger_->acknowledged();
  if (++delivery.tries >= tries_max_) return ledger_->dead(delivery, "poison");
  if (closed_) return ledger_->dead(delivery, "undeliverable");
  enqueue(std::move(delivery));
}

void Subscriber::close() {
  closed_ = true;
  while (waiting_ > 0) ledger_->dead(take_first(), "undeliverable");
}

}  // namespace conductorai::infrastructure
