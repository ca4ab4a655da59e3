// Watching agents: heartbeats and silence, breakers that stay open, draining, what must be saved.

#include <algorithm>

#include "core/message_codec.hpp"
#include "orchestration/coordinator/coordinator_impl.hpp"

namespace conductorai::orchestration {

void AgentCoordinator::Impl::take_heartbeat(const Heartbeat& heartbeat) {
  Agent* agent = registry.find(heartbeat.agent);
  if (agent == nullptr) return;
  const bool was_offline = agent->offline;
  heard(*agent);
  agent->heard_at_wall = clock.now();
  changed(*agent);
  if (!was_offline) return;
  watch_breakers(*agent->pool);
  pump();
}

void AgentCoordinator::Impl::heard(Agent& agent) {
  agent.heard_at = clock.steady_now();
  if (agent.offline) registry.set_offline(agent, false);
}

void AgentCoordinator::Impl::watch_silence() {
  if (silence != nullptr || registry.agents().empty()) return;
  silence_looked_at = clock.steady_now();
  silence = clock.call_after(options.heartbeat_timeout / 3, [this] {
    silence.reset();
    look_for_silence();
    watch_silence();
  });
}

void AgentCoordinator::Impl::look_for_silence() {
  // A process that was stopped could neither send nor hear a beat: that time does not count as silence. It shows as a look that comes
  // much later than it was asked for.
  const auto now = clock.steady_now();
  const std::chrono::nanoseconds period = options.heartbeat_timeout / 3, passed = now - silence_looked_at;
  const auto stood_still = passed > 2 * period ? passed - period : std::chrono::nanoseconds{0};
  std::vector<Agent*> silent;
  for (const auto& [id, agent] : registry.agents()) {
    agent->heard_at += stood_still;
    if (!agent->offline && now - agent->heard_at > options.heartbeat_timeout) silent.push_back(agent.get());
  }
  for (Agent* agent : silent) lose(*agent);
  if (!silent.empty()) pump();
}

void AgentCoordinator::Impl::lose(Agent& agent) {
  registry.set_offline(agent, true);
  changed(agent);
  watch_breakers(*agent.pool);
  const AgentId id = agent.id;  // a draining one is gone with its last attempt
  while (true) {
    Agent* still = registry.find(id);
    if (still == nullptr || still->attempts.empty()) return;
    Dispatch& attempt = *still->attempts.back();
    (void)bus.publish({.channel = still->channel,
                       .from = "conductor:coordinator",
                       .priority = attempt.priority,
                       .body = CancelAttempt{attempt.id, "the coordinator has not heard of its agent"}});
    Error error{
        .code = ErrorCode::unavailable,
        .message = "agent '" + id.value + "' has been silent for more than " + std::to_string(options.heartbeat_timeout.count()) + " ms",
        .where = to_string(attempt.id),
        .retry = Retry::backoff};
    end(attempt, failed_result(attempt, attempt.timed_out ? *attempt.timed_out : std::move(error)));
  }
}

void AgentCoordinator::Impl::remove_if_drained(Agent& agent) {
  if (!agent.draining || agent.running > 0) return;
  TypePool& pool = *agent.pool;
  const AgentId id = agent.id;
  registry.remove(agent);
  sync.removed(id);
  watch_breakers(pool);
  if (!pool.members.empty()) return;
  while (!pool.lanes.empty()) {
    Dispatch& waiting = **(*pool.lanes.begin())->waiting.begin();
    refuse(waiting, {.code = ErrorCode::unavailable,
                     .message = "the last agent of type '" + pool.type.str() + "' is gone",
                     .where = to_string(waiting.id),
                     .retry = Retry::backoff});
  }
}

void AgentCoordinator::Impl::watch_breakers(TypePool& pool) {
  if (!pool.troubled_since || pool.lanes.empty() || pool.give_up != nullptr) return;
  Instant oldest = Instant::max();
  for (const Lane* lane : pool.lanes)
    for (const Dispatch* waiting : lane->waiting) oldest = std::min(oldest, waiting->since);
  const auto due = std::max(oldest, *pool.troubled_since) + options.breaker_wait_max;
  pool.give_up = clock.call_after(due - clock.steady_now(), [this, &pool] {
    pool.give_up.reset();
    give_up_waiting(pool);
    watch_breakers(pool);
  });
}

void AgentCoordinator::Impl::give_up_waiting(TypePool& pool) {
  const auto now = clock.steady_now();
  std::vector<Dispatch*> overdue;
  for (const Lane* lane : pool.lanes)
    for (Dispatch* waiting : lane->waiting)
      if (now - std::max(waiting->since, *pool.troubled_since) >= options.breaker_wait_max) overdue.push_back(waiting);
  for (Dispatch* dispatch : overdue) {
    const std::string channel = "conductor:workflow:" + dispatch->id.workflow.value;
    dispatch->letter = std::make_unique<DeadLetter>(DeadLetter{.channel = channel,
                                                               .reason = "breaker_open",
                                                               .message = core::encode_letter({.channel = channel,
                                                                                               .from = "conductor:coordinator",
                                                                                               .priority = dispatch->priority,
                                                                                               .must_deliver = true,
                                                                                               .body = dispatch->assignment}),
                                                               .workflow = dispatch->id.workflow,
                                                               .at = clock.now()});
    Error error = dead_letter_error("breaker_open", "task '" + dispatch->id.task.value + "' waited longer than " +
                                                        std::to_string(options.breaker_wait_max.count()) +
                                                        " ms while the breaker of every '" + pool.type.str() + "' agent was open");
    refuse(*dispatch, std::move(error));
  }
}

void AgentCoordinator::Impl::changed(Agent& agent) {
  if (std::exchange(agent.unsaved, true)) return;
  unsaved.push_back(agent.id);
  sync.wake();
}

std::vector<AgentState> AgentCoordinator::Impl::take_changed() {
  std::vector<AgentState> states_now;
  for (const AgentId& id : std::exchange(unsaved, {})) {
    Agent* agent = registry.find(id);
    if (agent == nullptr || !std::exchange(agent->unsaved, false)) continue;
    states_now.push_back(registry.state(*agent));
  }
  return states_now;
}

}  // namespace conductorai::orchestration
