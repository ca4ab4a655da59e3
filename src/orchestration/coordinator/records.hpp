#pragma once
// What the coordinator keeps: agents by type in order of fitness, attempts that wait in order of turn.
//
//   TypePool ("coding") ── free: agents with room, fittest first
//        │               └─ ready: lanes whose head may be asked for, most urgent head first
//   Lane (workflow × type) ── waiting: its attempts, most urgent first; blocked while a policy says wait
//        │
//   WorkflowLoad ── how much of a workflow runs

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conductorai/clock.hpp"
#include "conductorai/message_bus.hpp"
#include "conductorai/models.hpp"
#include "conductorai/state_manager.hpp"
#include "runtime/suspension.hpp"

namespace conductorai::orchestration {

struct Agent;
struct Lane;
struct TypePool;
struct WorkflowLoad;

/// One dispatch_task; lives in its coroutine's frame.
struct Dispatch {
  Dispatch(Shared<TaskAssignment> work, bool is_approved)
      : assignment(std::move(work)), id(assignment->id), priority(assignment->task->priority), approved(is_approved) {}

  enum class Stage { queued, running, ended };
  Shared<TaskAssignment> assignment;
  const AttemptId& id;  // of the assignment
  int priority;
  bool approved;
  Stage stage = Stage::queued;
  std::uint64_t turn = 0;  // order of arrival
  Instant since{};         // queued or running since
  Lane* lane = nullptr;    // null once ended
  Agent* agent = nullptr;  // while running
  bool told_to_stop = false;
  std::unique_ptr<Error> timed_out;
  std::unique_ptr<Timer> timer;        // of the timeout, then of the grace after a stop
  std::unique_ptr<DeadLetter> letter;  // to be written before the result is given
  std::optional<Shared<TaskResult>> result;
  runtime::Suspension ended;               // the cancellable wait
  runtime::Suspension* stopped = nullptr;  // the wait after a cancellation
};

struct Fitter {
  bool operator()(const Agent* a, const Agent* b) const;
};
struct MoreUrgent {
  bool operator()(const Dispatch* a, const Dispatch* b) const {
    return a->priority != b->priority ? a->priority > b->priority : a->turn < b->turn;
  }
};
struct MoreUrgentHead {
  bool operator()(const Lane* a, const Lane* b) const;
};

struct Agent {
  AgentId id;
  std::string channel;
  TypePool* pool = nullptr;
  int capacity = 1;
  int running = 0;
  std::int64_t succeeded = 0, failed = 0;
  double success_rate = 1.0;     // of what it ended; 1 before its first
  std::uint64_t idle_since = 0;  // a count of events, unique: order without a clock
  bool draining = false;
  bool offline = false;
  bool suspect = false;  // its breaker is not closed
  bool held = false;     // … and lets nothing through now
  Instant heard_at{};
  Timestamp heard_at_wall{};
  std::deque<Dispatch*> attempts;    // as they began, which is about how they end
  std::unique_ptr<Timer> half_open;  // while held by an open breaker
  bool unsaved = false;
  bool listed = false;
  std::set<Agent*, Fitter>::node_type spare;  // its node of pool->free while it is out of it

  [[nodiscard]] bool has_room() const { return !draining && !offline && !held && running < capacity; }
  [[nodiscard]] AgentStatus status() const {
    if (offline) return AgentStatus::offline;
    if (draining) return AgentStatus::draining;
    return running > 0 ? AgentStatus::busy : AgentStatus::idle;
  }
};

struct TypePool {
  AgentType type;
  std::vector<Agent*> members;
  std::set<Agent*, Fitter> free;
  std::set<Lane*, MoreUrgentHead> ready;
  std::set<Lane*> lanes;                  // all with attempts waiting
  std::optional<Instant> troubled_since;  // no agent that is online has a closed breaker
  std::unique_ptr<Timer> give_up;         // for those waiting while troubled
};

struct Lane {
  WorkflowLoad* workflow = nullptr;
  TypePool* pool = nullptr;
  int running = 0;
  bool blocked = false;
  std::set<Dispatch*, MoreUrgent> waiting;
};

struct WorkflowLoad {
  WorkflowId id;
  int running = 0;
  int waiting = 0;
  std::vector<std::unique_ptr<Lane>> lanes;
};

inline bool Fitter::operator()(const Agent* a, const Agent* b) const {
  const auto load_a = std::int64_t{a->running} * b->capacity;
  const auto load_b = std::int64_t{b->running} * a->capacity;
  if (load_a != load_b) return load_a < load_b;
  if (a->success_rate != b->success_rate) return a->success_rate > b->success_rate;
  return a->idle_since < b->idle_since;
}

inline bool MoreUrgentHead::operator()(const Lane* a, const Lane* b) const {
  return MoreUrgent{}(*a->waiting.begin(), *b->waiting.begin());
}

}  // namespace conductorai::orchestration
