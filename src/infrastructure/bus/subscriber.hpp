#pragma once
// One subscriber of the MemoryMessageBus: its queue by priority and the coroutine that drains it.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "conductorai/clock.hpp"
#include "conductorai/message_bus.hpp"

namespace conductorai::infrastructure {

struct Delivery {
  MessagePtr message;
  std::optional<Instant> expires_at;
  int tries = 0;
};

/// What becomes of a delivery; told exactly once for each that was queued.
class DeliveryLedger {
 public:
  virtual ~DeliveryLedger() = default;
  virtual void acknowledged() = 0;
  virtual void dead(const Delivery& delivery, std::string_view reason) = 0;
};

class Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
  Subscriber(Executor& executor, Clock& clock, std::shared_ptr<DeliveryLedger> ledger, MessageBus::Handler handler, int tries_max)
      : executor_(executor), clock_(clock), ledger_(std::move(ledger)), handler_(std::move(handler)), tries_max_(tries_max) {}

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  /// Queues it and posts the drain unless it is under way; the handler never runs inside this call.
  void push(Delivery delivery);
  /// The handler is not called any more (a call that is running ends); what is queued is dead.
  void close();

 private:
  struct Drain;
  struct Yield;
  static Drain drain(std::shared_ptr<Subscriber> self);
  void enqueue(Delivery delivery);
  Delivery take_first();
  void deliver(Delivery delivery);

  Executor& executor_;
  Clock& clock_;
  std::shared_ptr<DeliveryLedger> ledger_;
  MessageBus::Handler handler_;
  int tries_max_;
  std::deque<Delivery> ordinary_;                                         // priority 0: nearly all
  std::map<int, std::deque<Delivery>, std::greater<>> other_priorities_;  // no empty queues
  std::size_t waiting_ = 0;
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace conductorai::infrastructure
