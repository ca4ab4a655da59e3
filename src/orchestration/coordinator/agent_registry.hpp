#pragma once
// The agents: who there is, who has room, who is fittest. Keeps the order of each type's free agents as they change.

#include <map>
#include <unordered_map>

#include "orchestration/coordinator/agent_coordinator.hpp"
#include "orchestration/coordinator/records.hpp"

namespace conductorai::orchestration {

class AgentRegistry {
 public:
  /// `half_open` is called when a breaker that held an agent turns half-open.
  AgentRegistry(Clock& clock, ErrorHandler& errors, std::function<void(Agent&)> half_open)
      : clock_(clock), errors_(errors), half_open_(std::move(half_open)) {}

  /// Errors: already_exists, invalid_argument.
  Result<Agent*> add(AgentRegistration registration);
  void remove(Agent& agent);
  [[nodiscard]] Agent* find(const AgentId& id) const;
  /// Null where no agent of the type is registered.
  [[nodiscard]] TypePool* pool(const AgentType& type) const;
  [[nodiscard]] const std::map<AgentId, std::unique_ptr<Agent>>& agents() const { return agents_; }
  [[nodiscard]] const std::unordered_map<AgentType, std::unique_ptr<TypePool>>& pools() const { return pools_; }
  [[nodiscard]] AgentState state(const Agent& agent) const;

  /// The fittest with room whose breaker lets an attempt through; null when there is none. It must be taken then.
  Agent* choose(TypePool& pool);
  void take(Agent& agent, Dispatch& dispatch);
  /// Its attempt ended so: counts, breaker, order.
  void give_back(Agent& agent, Dispatch& dispatch, const TaskResult& result);
  void set_offline(Agent& agent, bool offline);
  void set_draining(Agent& agent);

 private:
  void unlist(Agent& agent);
  void relist(Agent& agent);
  void look_at_breaker(Agent& agent);
  void hold(Agent& agent, std::chrono::nanoseconds duration);
  void reassess(TypePool& pool);

  Clock& clock_;
  ErrorHandler& errors_;
  std::function<void(Agent&)> half_open_;
  std::map<AgentId, std::unique_ptr<Agent>> agents_;
  std::unordered_map<AgentType, std::unique_ptr<TypePool>> pools_;
  std::uint64_t idle_count_ = 0;
};

}  // namespace conductorai::orchestration
