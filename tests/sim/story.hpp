#pragma once
// Stories about the core: given a definition, when commands come, then these events. Every accepted command is also checked for what must
// always hold: indexes equal a scan, announced effects equal owed ones, decide equals decide_and_evolve, the journal folds to the state.

#include <string>
#include <vector>

#include "core/decide.hpp"

namespace conductorai::core {

/// A task of the type `command`, changed by what is needed.
TaskDefinition task(const std::string& id, std::vector<std::string> needs = {}, const std::string& agent = "command");
Evidence exit_code(int code);

class Story {
 public:
  explicit Story(WorkflowDefinition definition);
  explicit Story(std::vector<TaskDefinition> tasks);

  /// The tags of the row, or "rejected: …" / "stale: …".
  std::string when(const Command& command);
  std::string start();
  std::string completes(const std::string& id, Verdict verdict = Verdict::none, Object outputs = {});
  std::string fails(const std::string& id, ErrorAction action = ErrorAction::escalate, Milliseconds delay = {});
  /// The result of a task's live attempt, to be changed.
  TaskResult result(const std::string& id, Verdict verdict = Verdict::none) const;
  /// The ids that outstanding effects would dispatch, with round and attempt: "a/1/1 b/1/1".
  [[nodiscard]] std::string dispatched() const;
  [[nodiscard]] std::string shown(const std::string& id) const;  // status
  [[nodiscard]] const TaskRecord& record(const std::string& id) const { return state.tasks.at(TaskId(id)); }
  [[nodiscard]] WorkflowState refolded() const;

  template <class E>
  [[nodiscard]] const E& last() const {
    for (auto it = events.rbegin(); it != events.rend(); ++it)
      if (const E* found = std::get_if<E>(&*it)) return *found;
    static const E none;
    return none;
  }

  WorkflowState initial;
  WorkflowState state;
  Context context;
  std::vector<Event> events;      // of the latest row
  std::vector<std::string> rows;  // encoded
  std::string broken;             // what a check found; a test expects it empty
};

}  // namespace conductorai::core
