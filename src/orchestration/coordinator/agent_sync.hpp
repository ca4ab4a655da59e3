#pragma once
// AgentSync: writes what changed about agents to the StateManager, off the hot path: a mark costs a flag and a push.

#include <functional>
#include <vector>

#include "conductorai/clock.hpp"
#include "conductorai/state_manager.hpp"
#include "runtime/scope.hpp"

namespace conductorai::orchestration {

class AgentSync {
 public:
  /// `changed` hands over the states that changed since it was last called; `again` marks those whose write failed.
  AgentSync(Executor& executor, Clock& clock, StateManager& states, Milliseconds interval, std::function<std::vector<AgentState>()> changed,
            std::function<void(const std::vector<AgentState>&)> again)
      : clock_(clock), states_(states), interval_(interval), changed_(std::move(changed)), again_(std::move(again)), scope_(executor) {}

  /// Something changed: written at most `interval` from now.
  void wake();
  void removed(AgentId agent);
  /// Writes now what changed. Errors: the store's; what could not be written is tried again with the next change or flush.
  task<Result<void>> flush();
  /// Ends background work and writes the rest. No call may follow.
  task<void> close();

 private:
  static task<void> in_background(AgentSync& self);
  task<Result<void>> write();

  Clock& clock_;
  StateManager& states_;
  Milliseconds interval_;
  std::function<std::vector<AgentState>()> changed_;
  std::function<void(const std::vector<AgentState>&)> again_;
  std::vector<AgentId> removed_;
  std::unique_ptr<Timer> timer_;
  bool closing_ = false;
  runtime::Semaphore writing_{1};
  runtime::TaskScope scope_;
};

}  // namespace conductorai::orchestration
