#include "orchestration/coordinator/agent_registry.hpp"

#include <algorithm>
#include <ranges>

namespace conductorai::orchestration {

namespace {
constexpr std::ptrdiff_t kTasksNamed = 100;         // of ten thousand that an agent may have: its state is written twice a second
constexpr std::chrono::seconds kProbeElsewhere{1};  // somebody else probes this half-open breaker: look again then
}  // namespace

Result<Agent*> AgentRegistry::add(AgentRegistration registration) {
  if (registration.id.empty() || registration.type.empty() || registration.capacity < 1)
    return fail(ErrorCode::invalid_argument, "an agent needs an id, a type and a capacity of at least 1", registration.id.value);
  if (agents_.contains(registration.id)) return fail(ErrorCode::already_exists, "an agent of this id is registered", registration.id.value);
  auto& pool = pools_[registration.type];
  if (pool == nullptr) pool = std::make_unique<TypePool>(TypePool{.type = registration.type});
  auto agent = std::make_unique<Agent>();
  agent->id = std::move(registration.id);
  agent->channel = "conductor:agent:" + agent->id.value;
  agent->pool = pool.get();
  agent->capacity = registration.capacity;
  agent->idle_since = ++idle_count_;
  agent->heard_at = clock_.steady_now();
  agent->heard_at_wall = clock_.now();
  Agent& added = *agent;
  pool->members.push_back(&added);
  agents_.emplace(added.id, std::move(agent));
  look_at_breaker(added);  // one that comes back keeps the breaker it left with
  relist(added);
  return &added;
}

void AgentRegistry::remove(Agent& agent) {
  unlist(agent);
  TypePool& pool = *agent.pool;
  std::erase(pool.members, &agent);
  agents_.erase(AgentId(agent.id));
  reassess(pool);
}

Agent* AgentRegistry::find(const AgentId& id) const {
  auto found = agents_.find(id);
  return found == agents_.end() ? nullptr : found->second.get();
}

TypePool* AgentRegistry::pool(const AgentType& type) const {
  auto found = pools_.find(type);
  return found == pools_.end() || found->second->members.empty() ? nullptr : found->second.get();
}

AgentState AgentRegistry::state(const Agent& agent) const {
  AgentState state{.id = agent.id,
                   .type = agent.pool->type,
                   .status = agent.status(),
                   .capacity = agent.capacity,
                   .running = agent.running,
                   .succeeded = agent.succeeded,
                   .failed = agent.failed,
                   .last_heartbeat = agent.heard_at_wall,
                   .breaker = std::string(to_string(errors_.breaker(agent.id)))};
  for (const Dispatch* attempt : agent.attempts | std::views::take(kTasksNamed))
    state.current_tasks.push_back(attempt->id.workflow.value + "/" + attempt->id.task.value);
  return state;
}

Agent* AgentRegistry::choose(TypePool& pool) {
  while (!pool.free.empty()) {
    Agent& fittest = **pool.free.begin();
    if (errors_.try_acquire(fittest.id)) {
      fittest.held = fittest.suspect;  // half-open: this attempt is the probe, the next waits for its end
      return &fittest;
    }
    unlist(fittest);
    look_at_breaker(fittest);
    if (!fittest.held) hold(fittest, kProbeElsewhere);
  }
  return nullptr;
}

void AgentRegistry::take(Agent& agent, Dispatch& dispatch) {
  unlist(agent);
  ++agent.running;
  agent.attempts.push_back(&dispatch);
  relist(agent);
}

void AgentRegistry::give_back(Agent& agent, Dispatch& dispatch, const TaskResult& result) {
  unlist(agent);
  --agent.running;
  agent.idle_since = ++idle_count_;
  agent.attempts.erase(std::ranges::find(agent.attempts, &dispatch));
  if (result.status == ResultStatus::completed) {
    ++agent.succeeded;
    errors_.record_success(agent.id);
  } else {
    if (result.status == ResultStatus::failed) ++agent.failed;
    static const Error neutral{.code = ErrorCode::cancelled, .message = "stopped"};
    errors_.record_failure(agent.id, result.status == ResultStatus::failed && result.error ? *result.error : neutral);
  }
  const auto ended = agent.succeeded + agent.failed;
  if (ended > 0) agent.success_rate = static_cast<double>(agent.succeeded) / static_cast<double>(ended);
  if (agent.suspect || result.status != ResultStatus::completed) look_at_breaker(agent);
  relist(agent);
}

void AgentRegistry::set_offline(Agent& agent, bool offline) {
  unlist(agent);
  agent.offline = offline;
  relist(agent);
  reassess(*agent.pool);
}

void AgentRegistry::set_draining(Agent& agent) {
  unlist(agent);
  agent.draining = true;
  reassess(*agent.pool);
}

void AgentRegistry::unlist(Agent& agent) {
  if (!std::exchange(agent.listed, false)) return;
  agent.spare = agent.pool->free.extract(&agent);
}

void AgentRegistry::relist(Agent& agent) {
  if (agent.listed || !agent.has_room()) return;
  if (agent.spare)
    agent.pool->free.insert(std::move(agent.spare));
  else
    agent.pool->free.insert(&agent);
  agent.listed = true;
}

void AgentRegistry::look_at_breaker(Agent& agent) {
  const BreakerState state = errors_.breaker(agent.id);
  agent.suspect = state != BreakerState::closed;
  agent.held = state == BreakerState::open;
  agent.half_open.reset();
  if (agent.held) hold(agent, errors_.open_for_still(agent.id));
  reassess(*agent.pool);
}

void AgentRegistry::hold(Agent& agent, std::chrono::nanoseconds duration) {
  agent.held = true;
  agent.half_open = clock_.call_after(duration, [this, &agent] {
    agent.held = false;
    relist(agent);
    half_open_(agent);
  });
}

void AgentRegistry::reassess(TypePool& pool) {
  bool online = false, healthy = false;
  for (const Agent* agent : pool.members) {
    if (agent->offline || agent->draining) continue;
    online = true;
    healthy = healthy || !agent->suspect;
  }
  if (!online || healthy) {
    pool.troubled_since.reset();
    pool.give_up.reset();
  } else if (!pool.troubled_since) {
    pool.troubled_since = clock_.steady_now();
  }
}

}  // namespace conductorai::orchestration
