#pragma once
// The calculator: decide, evolve, outstanding. No I/O, clock, randomness or making of ids; they arrive in Context.

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "conductorai/events.hpp"
#include "conductorai/policy.hpp"
#include "conductorai/shared.hpp"
#include "conductorai/state_manager.hpp"
#include "core/state.hpp"

namespace conductorai::core {

// --- commands: wishes, imperative ------------------------------------------------------------------------------------------
struct StartWorkflow {
  WorkflowStarted started;
};
/// Begins with `kept` (fork.hpp), and goes on from there.
struct ForkWorkflow {
  WorkflowStarted started;
  WorkflowForked forked;  // `tasks` is filled in
  std::vector<Event> kept;
  RunOverrides overrides;
};
/// A new owner takes an unfinished workflow.
struct ClaimWorkflow {
  std::string owner;
};
/// An attempt ended. The engine computed the merge (merged_head or conflicts) beforehand, on the provisional head.
struct RecordResult {
  Shared<TaskResult> result;
  std::string merged_head;                     // with result.commit and no conflicts
  std::vector<std::string> conflicts;          // paths: the attempt fails with them as findings
  ErrorAction action = ErrorAction::escalate;  // the ErrorHandler's answer for a failed one
  Milliseconds retry_delay{0};                 // with retry
};
/// A deadline passed. The one who fires it owns the clock: it is believed. `retry` is never started (see DispatchTask) and always stale.
struct FireTimer {
  enum class Kind { retry, approval, workflow, cleanup } kind = Kind::retry;
  TaskId task;
  ApprovalId approval;
  friend bool operator==(const FireTimer&, const FireTimer&) = default;
};
struct Pause {
  PauseKind kind = PauseKind::user;
  std::string reason;
};
struct Resume {
  std::string by;
  RunOverrides overrides;
};
struct Cancel {
  std::string by, reason;
};
/// All live attempts have been stopped after a cancel.
struct FinishCancel {};
struct Resolve {
  ApprovalId approval;  // empty: the only open one
  bool approve = true;
  std::string by, comment;
};
struct RetryFailed {
  std::string by;
  std::optional<TaskId> task;
};
/// The large ones, which are rare, by pointer: results wait for their workflow by the thousand.
using Command = std::variant<Shared<StartWorkflow>, Shared<ForkWorkflow>, ClaimWorkflow, RecordResult, FireTimer, Pause, Shared<Resume>,
                             Cancel, FinishCancel, Resolve, RetryFailed>;

struct Context {
  Timestamp now{};
  /// Pure. The PolicyEngine's check of phase gates (PassGate) and of approvals a task needs before it starts.
  std::function<PolicyDecision(const PolicyContext&)> check;
  /// Values of the definition's `env` names, for expressions.
  std::map<std::string, std::string> env;
  Milliseconds cleanup_timeout{300'000};  // of the tasks that run after a cancel, together
};

/// A command that does not fit. `stale`: expected in normal life (late, repeated); dropped with its usage settled elsewhere.
struct Rejection {
  bool stale = false;
  Error error;
};

/// All events that follow from the command, including gate, round and end of the workflow: they make one journal row.
/// Never an empty vector: what changes nothing is a Rejection.
std::expected<std::vector<Event>, Rejection> decide(const WorkflowState& state, const Command& command, const Context& context);
/// The same in O(change), for who owns the state: on success `state` has evolved by the events returned (at context.now), after a Rejection
/// it is untouched. When the events then cannot be appended, fold the journal again.
std::expected<std::vector<Event>, Rejection> decide_and_evolve(WorkflowState& state, const Command& command, const Context& context);

/// Applies one recorded fact. Unknown or impossible events park the workflow (PAUSED with a reason), they never abort.
void evolve(WorkflowState& state, const Event& event, Timestamp at);

// --- effects: what the world still owes this state, infinitive ----------------------------------------------------------------
/// Hand this attempt over. `not_before`: the back-off after a recorded failure; the attempt is live already, no command says that it is
/// over.
struct DispatchTask {
  AttemptId id;
  std::optional<Timestamp> not_before;
  friend bool operator==(const DispatchTask&, const DispatchTask&) = default;
};
struct MoveBranch {
  std::string head;
  friend bool operator==(const MoveBranch&, const MoveBranch&) = default;
};
/// Approval and workflow deadlines. One that passed while nobody owned the workflow fires at once.
struct StartTimer {
  FireTimer timer;
  Timestamp at{};
  friend bool operator==(const StartTimer&, const StartTimer&) = default;
};
/// Cancelling: stop all live attempts, then FinishCancel.
struct StopAttempts {
  friend bool operator==(const StopAttempts&, const StopAttempts&) = default;
};
/// Terminal: worktrees away, ownership released.
struct CloseWorkflow {
  friend bool operator==(const CloseWorkflow&, const CloseWorkflow&) = default;
};
using Effect = std::variant<DispatchTask, MoveBranch, StartTimer, StopAttempts, CloseWorkflow>;

/// Everything owed, at start-up after a fold. A paused workflow owes its branch only; resuming makes the rest owed again. Starting an
/// effect twice is harmless by its name.
std::vector<Effect> outstanding(const WorkflowState& state);
/// What `events`, just applied, added to outstanding(); O(change). A property test keeps both equal.
std::vector<Effect> newly_outstanding(const WorkflowState& state, const std::vector<Event>& events);

/// What an agent is told about its live attempt, from the state.
struct AssignmentParts {
  Shared<TaskDefinition> task;                // expressions in `with` evaluated
  std::vector<FeedbackPayload> findings;      // of the rounds that target or name this task, oldest first; none unless its latest does
  std::map<TaskId, Shared<Object>> upstream;  // outputs of its needs
};
/// Errors: invalid_argument when an expression does not evaluate.
Result<AssignmentParts> assignment_parts(const WorkflowState& state, const TaskId& task, const std::map<std::string, std::string>& env);

/// Limits in force for the steps of its attempts: its budget with what `resume --add-budget` added, and `per_day`, that of the whole
/// project for a day, likewise raised.
BudgetLimits budget_limits(const WorkflowState& state, const TaskDefinition& task, const BudgetDefinition& per_day);

}  // namespace conductorai::core
