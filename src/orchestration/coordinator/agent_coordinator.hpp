#pragma once
// AgentCoordinator: who does it. Registry, priority queue, choice of an agent, hand-over by the bus, results back.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conductorai/clock.hpp"
#include "conductorai/message_bus.hpp"
#include "conductorai/models.hpp"
#include "conductorai/state_manager.hpp"
#include "orchestration/errors/error_handler.hpp"
#include "orchestration/policies/policy_engine.hpp"

namespace conductorai::orchestration {

struct AgentRegistration {
  AgentId id;
  AgentType type;
  int capacity = 1;
};

struct CoordinatorOptions {
  int max_concurrent_tasks = 0;            // of this process; 0: none
  Milliseconds heartbeat_timeout{30'000};  // an agent silent for longer is OFFLINE; its attempts fail as unavailable
  Milliseconds sync_interval{500};         // agent states are written to the StateManager at most this often
  Milliseconds breaker_wait_max{300'000};  // a task waits no longer for an open breaker: dead letter
  Milliseconds cancel_grace{30'000};       // a stopped attempt whose agent does not confirm is given up after this
};

struct CoordinatorCounters {
  std::uint64_t handed_over = 0;
  std::uint64_t ignored_results = 0;  // of no live attempt: late, repeated, unknown, or from another agent than the one that has it
};

/// Thread: the loop's. Chooses least loaded → best success rate → longest idle, breaker closed; waits when none is free.
class AgentCoordinator {
 public:
  AgentCoordinator(Executor& executor, Clock& clock, MessageBus& bus, StateManager& states, PolicyEngine& policies, ErrorHandler& errors,
                   CoordinatorOptions options);
  ~AgentCoordinator();
  AgentCoordinator(const AgentCoordinator&) = delete;
  AgentCoordinator& operator=(const AgentCoordinator&) = delete;

  /// The agent (or its host) listens on "conductor:agent:<id>" and answers on "conductor:results". Errors: already_exists.
  Result<void> register_agent(AgentRegistration agent);
  /// DRAINING: gets nothing new; removed once its attempts have ended. Errors: not_found.
  Result<void> unregister_agent(const AgentId& agent);
  [[nodiscard]] std::vector<AgentState> agent_states() const;
  [[nodiscard]] bool knows_type(const AgentType& type) const;

  /// Enforces policies, waits for an agent, hands over, waits for the result. Never an exception; what prevents it becomes a failed result
  /// (error unavailable, permission_denied, timeout). `assignment.task->timeout` runs from hand-over.
  /// Cancellation: a waiting task leaves the queue; a running one is told by CancelAttempt and its cancelled result awaited.
  task<Shared<TaskResult>> dispatch_task(Shared<TaskAssignment> assignment, bool approved = false);
  /// The same for many at once; results in the order given.
  task<std::vector<Shared<TaskResult>>> dispatch_batch(std::vector<Shared<TaskAssignment>> assignments);

  /// Why a dispatched attempt does not run yet, one sentence; empty when it runs or is unknown.
  [[nodiscard]] std::string waiting_reason(const AttemptId& attempt) const;
  [[nodiscard]] CoordinatorCounters counters() const;
  /// Writes what agent_states() shows now; also done in the background.
  task<Result<void>> sync();
  /// Stops background work; call when nothing is dispatched any more.
  task<void> close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace conductorai::orchestration
