#pragma once
// MemoryMessageBus: the MessageBus of one process. Messages move by pointer; a subscriber costs one coroutine, a delivery one queue entry.

#include <memory>

#include "conductorai/clock.hpp"
#include "conductorai/message_bus.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai::infrastructure {

struct MemoryBusOptions {
  std::size_t queue_max = 100'000;  // messages waiting for one subscriber; what is more is refused
  int handler_tries = 3;            // a message whose handler fails this often is poison
};

/// Exact channels are found by hash; only pattern subscribers are compared one by one.
/// Among the messages waiting for a subscriber the higher priority goes first, within one priority the older; a poison message's next
/// try comes after those that waited with it. A must_deliver message nobody listens to becomes a dead letter and `publish` says
/// unavailable. Dead letters are written in the background; poison ones always, others only if must_deliver.
/// Every delivery counts once: to a subscriber, or (must_deliver, nobody there) to nobody, which is dead at once.
class MemoryMessageBus final : public MessageBus {
 public:
  /// `letters` may be null: dead letters are then counted and dropped.
  MemoryMessageBus(Executor& executor, Clock& clock, StateManager* letters, MemoryBusOptions options = {});
  /// REQUIRES: no request waits, no dead letter is being written (await `close` first). Subscriptions may outlive it.
  ~MemoryMessageBus() override;
  MemoryMessageBus(const MemoryMessageBus&) = delete;
  MemoryMessageBus& operator=(const MemoryMessageBus&) = delete;

  Result<void> publish(AgentMessage message) override;
  [[nodiscard]] std::unique_ptr<Subscription> subscribe(std::string pattern, Handler handler) override;
  task<Result<MessagePtr>> request(AgentMessage message, Milliseconds deadline) override;
  [[nodiscard]] BusCounters counters() const override;

  /// Takes the dead letter and publishes its message again, as must_deliver: it is delivered or a dead letter once more, with a new id.
  /// Errors: not_found; data_corrupted or unsupported (unreadable; the letter stays); unavailable (nobody listens).
  task<Result<void>> requeue(std::int64_t id);
  /// Dead letters the store refused, or that had no store, since the start.
  [[nodiscard]] std::uint64_t letters_lost() const;
  /// Waits until everything published is handled and every dead letter written.
  task<void> close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with subscriptions, which may outlive the bus
};

/// `pattern` holds `*` for any run of characters, also none.
bool matches(std::string_view pattern, std::string_view channel);

}  // namespace conductorai::infrastructure
