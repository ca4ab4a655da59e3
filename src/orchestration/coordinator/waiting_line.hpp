#pragma once
// Who waits and who runs, by workflow and type. Finds the most urgent attempt that may be asked for without looking at the others.

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "orchestration/coordinator/records.hpp"

namespace conductorai::orchestration {

struct ByAttempt {
  using is_transparent = void;
  std::size_t operator()(const AttemptId& id) const { return std::hash<AttemptId>{}(id); }
  std::size_t operator()(const Dispatch* dispatch) const { return (*this)(dispatch->id); }
  bool operator()(const Dispatch* a, const Dispatch* b) const { return a->id == b->id; }
  bool operator()(const AttemptId& a, const Dispatch* b) const { return a == b->id; }
  bool operator()(const Dispatch* a, const AttemptId& b) const { return a->id == b; }
};

class WaitingLine {
 public:
  /// The lane of an attempt that is about to enter or to start; it lives while anything of its workflow waits or runs.
  Lane& lane(const WorkflowId& workflow, TypePool& pool);
  /// Queued behind what is as urgent.
  void enter(Dispatch& dispatch, Lane& lane);
  void leave(Dispatch& dispatch);
  void start(Dispatch& dispatch, Lane& lane);
  /// Of one that runs. Unblocks its workflow's lanes: a limit of theirs has room again.
  void end(Dispatch& dispatch);
  /// A workflow left without waiting and running attempts is forgotten.
  void forget_if_idle(WorkflowLoad& workflow);

  /// Not asked for again until something of its workflow ends (or `unblock_stuck`).
  void block(Lane& lane);
  /// Those whose workflow runs nothing, so that no end of an attempt would ever wake them. False when there are none.
  bool unblock_stuck();
  [[nodiscard]] bool has_stuck() const { return !stuck_.empty(); }

  [[nodiscard]] int running() const { return running_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  WorkflowLoad& load_of(const WorkflowId& workflow);
  void unblock(Lane& lane);

  using Workflows = std::unordered_map<WorkflowId, WorkflowLoad>;

  Workflows workflows_;
  std::vector<Workflows::node_type> spare_;  // forgotten ones: most come and go with each attempt
  std::unordered_set<Lane*> stuck_;
  std::uint64_t turns_ = 0;
  int running_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace conductorai::orchestration
