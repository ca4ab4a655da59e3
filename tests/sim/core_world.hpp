#pragma once
// L0: the core in a closed loop with a world that delivers results late, twice or never, crashes, loses appends, pauses, cancels, approves
// and lets time pass — without coroutines. After every row the invariants of DESIGN are checked.

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/decide.hpp"
#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"
#include "tests/sim/random_definition.hpp"

namespace conductorai::core {

/// Which edges were taken, over all runs.
struct Coverage {
  std::set<std::pair<TaskForm, TaskForm>> tasks;
  std::set<TaskForm> reset_from;
  std::set<std::pair<WorkflowForm, WorkflowInput>> workflows;
  std::set<WorkflowStatus> ends;
};

class World {
 public:
  World(std::uint64_t seed, Coverage& coverage);
  /// Trouble first, then healing. What went wrong; empty: nothing did.
  std::string run();
  [[nodiscard]] const std::vector<std::string>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }

 private:
  struct Pending {
    AttemptId id;
    Timestamp not_before{};
  };

  void trouble();
  void heal();
  void fork();
  [[nodiscard]] Resume random_resume();
  void give(const Command& command);
  void lose_append(const Command& command);
  void crash();
  void start(const std::vector<Effect>& effects);
  void check_row(const std::vector<Effect>& before, const std::vector<Event>& events);
  void check_event(const Event& event);
  void check_state();
  void check_gate(const GateDecided& gate);
  void cover(const Event& event, const std::map<TaskId, TaskForm>& before);
  void wrong(const std::string& what);

  [[nodiscard]] TaskResult result_of(const AttemptId& id, bool healthy);
  [[nodiscard]] RecordResult record_of(const AttemptId& id, bool healthy);
  void deliver(bool healthy);
  void deliver_stale();
  void resolve(bool healthy);
  void fire_timer();
  [[nodiscard]] std::vector<Pending> due() const;
  void wait_for_back_off();

  Chance chance_;
  Coverage& coverage_;
  WorkflowState initial_;
  WorkflowState state_;
  WorkflowState watched_;  // by one who reads the rows, event by event
  Context context_;
  std::vector<std::string> rows_;
  std::vector<std::string> log_;
  std::string error_;
  std::map<AttemptId, Timestamp> in_flight_;
  std::vector<StartTimer> timers_;
  std::vector<TaskResult> delivered_;
  std::set<std::pair<AttemptId, bool>> recorded_;  // foreach parents end under attempt 1 as well, but have none
  std::string branch_;
  bool stopping_ = false;
  bool closed_ = false;
};

}  // namespace conductorai::core
