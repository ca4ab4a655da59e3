#pragma once
// The coordinator's inside: agent_coordinator.cpp takes attempts in and starts them, attempt_end.cpp ends them, agent_health.cpp watches
// agents.

#include <unordered_set>

#include "orchestration/coordinator/agent_coordinator.hpp"
#include "orchestration/coordinator/agent_registry.hpp"
#include "orchestration/coordinator/agent_sync.hpp"
#include "orchestration/coordinator/waiting_line.hpp"

namespace conductorai::orchestration {

struct AgentCoordinator::Impl {
  Impl(Executor& e, Clock& c, MessageBus& b, StateManager& s, PolicyEngine& p, ErrorHandler& h, CoordinatorOptions o);

  // --- in and on their way (agent_coordinator.cpp) ---
  static task<Shared<TaskResult>> dispatch(Impl& self, Shared<TaskAssignment> assignment, bool approved);
  static task<void> dispatch_into(Impl& self, Shared<TaskAssignment> assignment, Shared<TaskResult>& out);
  static task<std::vector<Shared<TaskResult>>> dispatch_batch(Impl& self, std::vector<Shared<TaskAssignment>> assignments);
  void admit(Dispatch& dispatch);
  /// Starts whatever can start now, most urgent first.
  void pump();
  TypePool* most_urgent_pool() const;
  void start(Dispatch& dispatch, Agent& agent, Lane& lane);
  [[nodiscard]] bool has_slot() const { return options.max_concurrent_tasks <= 0 || line.running() < options.max_concurrent_tasks; }
  [[nodiscard]] PolicyDecision check(const Dispatch& dispatch, const Lane& lane) const;
  [[nodiscard]] std::string why_waiting(const Dispatch& dispatch) const;
  void block(Lane& lane);

  // --- their end (attempt_end.cpp) ---
  void take_result(const Shared<TaskResult>& result);
  /// Takes it out of all indexes, frees what it held, gives the result to its coroutine. Does not pump.
  void end(Dispatch& dispatch, Shared<TaskResult> result);
  void refuse(Dispatch& dispatch, Error error);
  void time_out(Dispatch& dispatch);
  void cancel(Dispatch& dispatch);
  void tell_to_stop(Dispatch& dispatch, std::string reason);
  void give_up(Dispatch& dispatch);

  // --- agents (agent_health.cpp) ---
  void take_heartbeat(const Heartbeat& heartbeat);
  void heard(Agent& agent);
  void watch_silence();
  void look_for_silence();
  void lose(Agent& agent);
  void remove_if_drained(Agent& agent);
  /// Arms the wait's end for a pool whose breakers are open.
  void watch_breakers(TypePool& pool);
  void give_up_waiting(TypePool& pool);
  void changed(Agent& agent);
  std::vector<AgentState> take_changed();

  Executor& executor;
  Clock& clock;
  MessageBus& bus;
  StateManager& states;
  PolicyEngine& policies;
  ErrorHandler& errors;
  CoordinatorOptions options;
  AgentRegistry registry;
  WaitingLine line;
  std::unordered_set<Dispatch*, ByAttempt, ByAttempt> live;
  CoordinatorCounters counters;
  std::unique_ptr<Timer> recheck;  // of lanes that no end of an attempt would wake
  std::unique_ptr<Timer> silence;
  Instant silence_looked_at{};
  std::vector<AgentId> unsaved;
  AgentSync sync;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
};

TaskResult failed_result(const Dispatch& dispatch, Error error);
TaskResult cancelled_result(const Dispatch& dispatch);
/// The same, for a coroutine's frame that has no room for a whole one.
Shared<TaskResult> shared_cancelled_result(const Dispatch& dispatch);

}  // namespace conductorai::orchestration
