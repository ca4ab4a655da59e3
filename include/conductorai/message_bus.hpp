#pragma once
// MessageBus: transient messages between coordinator and agents. May repeat, may be lost with the process; never the truth.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/events.hpp"
#include "conductorai/models.hpp"
#include "conductorai/result.hpp"
#include "conductorai/shared.hpp"
#include "conductorai/state_manager.hpp"
#include "conductorai/task.hpp"

namespace conductorai {

/// All an agent needs to know to do one attempt. Self-contained, so that it can cross machines.
struct TaskAssignment {
  AttemptId id;
  std::uint64_t epoch = 0;
  Phase phase = Phase::development;
  Shared<TaskDefinition> task;                         // `with` already evaluated
  std::shared_ptr<const WorkflowDefinition> workflow;  // with overrides applied
  std::optional<Value> foreach_item;
  std::vector<FeedbackPayload> findings;      // of earlier rounds, newest last; those aimed at this task or naming it
  std::map<TaskId, Shared<Object>> upstream;  // outputs of the tasks it needs
  std::string base;                           // commit the attempt's worktree starts from
  std::string workflow_base;                  // commit the workflow started from: `git diff workflow_base` is the whole change
  BudgetLimits limits;                        // for its steps
};

/// Stop this attempt; a result (status cancelled) still follows.
struct CancelAttempt {
  AttemptId id;
  std::string reason;
};
struct Progress {
  AttemptId id;
  AgentId agent;
  std::string text;
};
struct Heartbeat {
  AgentId agent;
  int running = 0;
};

using MessageBody =
    std::variant<std::monostate, Shared<TaskAssignment>, Shared<TaskResult>, CancelAttempt, Progress, Heartbeat, FeedbackPayload, Value>;

struct AgentMessage {
  std::string
      channel;  // "conductor:agent:<id>", "conductor:broadcast", "conductor:phase:<p>", "conductor:workflow:<id>", "conductor:results"
  std::string from;
  std::string correlation;  // of a request and its response
  std::string reply_to;     // channel of the response
  int priority = 0;         // higher first among those waiting for one subscriber
  std::optional<Milliseconds> ttl;
  bool must_deliver = false;  // no subscriber → dead letter
  MessageBody body;
};
using MessagePtr = std::shared_ptr<const AgentMessage>;

/// Destroying it unsubscribes; messages already queued for it are dropped and counted as dead when must_deliver.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

struct BusCounters {  // invariant I8: sent = acknowledged + pending + dead, counted a delivery
  std::uint64_t sent = 0, acknowledged = 0, pending = 0, dead = 0;
};

/// Thread: the loop's. `publish` never runs a handler before it returns: deliveries are posted.
class MessageBus {
 public:
  using Handler = std::function<Result<void>(MessagePtr)>;  // an error is a poison message: retried up to a bound, then dead
  virtual ~MessageBus() = default;
  /// Errors: resource_exhausted when a subscriber's queue is at its bound (the message becomes a dead letter if must_deliver).
  virtual Result<void> publish(AgentMessage message) = 0;
  /// `pattern` is exact or holds `*` for any run of characters.
  [[nodiscard]] virtual std::unique_ptr<Subscription> subscribe(std::string pattern, Handler handler) = 0;
  /// Publishes with a fresh correlation and waits for the one response. Errors: timeout, cancelled, unavailable (no subscriber).
  virtual task<Result<MessagePtr>> request(AgentMessage message, Milliseconds deadline) = 0;
  [[nodiscard]] virtual BusCounters counters() const = 0;
};

}  // namespace conductorai
