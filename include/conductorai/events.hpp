#pragma once
// Recorded facts. Wire tag and version of each stand in docs/formats/journal.md; a struct here is the newest version.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/models.hpp"

namespace conductorai {

/// What flags of `run` and `resume` change after the definition was pinned. Recorded; the latest value of each field holds.
struct RunOverrides {
  std::optional<LlmDefinition> llm;
  std::optional<bool> sandbox_enabled;
  BudgetDefinition add_budget;                     // added to the limits, never below what was spent
  std::optional<BudgetDefinition> add_day_budget;  // added to those of the whole project for a day, as they hold for this workflow
  friend bool operator==(const RunOverrides&, const RunOverrides&) = default;
};

struct WorkflowStarted {
  std::string name;
  Digest definition;        // the pinned WorkflowDefinition, as JSON
  std::string branch;       // "conductorai/<workflow id>"
  std::string base_commit;  // where the branch starts
  std::string owner;        // "pid@host"
  std::string version;      // of conductorai
  friend bool operator==(const WorkflowStarted&, const WorkflowStarted&) = default;
};
/// It began as a copy of another one's journal up to a point; what was copied follows in the same row.
struct WorkflowForked {
  WorkflowId workflow;        // the other one
  std::uint64_t seq = 1;      // its events before this one were taken over
  std::vector<TaskId> tasks;  // whose results stand
  std::string by;
  friend bool operator==(const WorkflowForked&, const WorkflowForked&) = default;
};
struct WorkflowClaimed {
  std::string owner;
  std::vector<TaskId> in_flight;  // attempts that were live when the former owner ended
  friend bool operator==(const WorkflowClaimed&, const WorkflowClaimed&) = default;
};
enum class PauseKind { user, budget, claims, storage };
struct WorkflowPaused {
  PauseKind kind = PauseKind::user;
  std::string reason;
  friend bool operator==(const WorkflowPaused&, const WorkflowPaused&) = default;
};
struct WorkflowResumed {
  std::string by;
  RunOverrides overrides;
  friend bool operator==(const WorkflowResumed&, const WorkflowResumed&) = default;
};
struct WorkflowCancelRequested {
  std::string by;
  std::string reason;
  bool deadline = false;  // the workflow's own timeout asked: it ends FAILED
  friend bool operator==(const WorkflowCancelRequested&, const WorkflowCancelRequested&) = default;
};
struct WorkflowCancelled {
  std::string reason;
  friend bool operator==(const WorkflowCancelled&, const WorkflowCancelled&) = default;
};
/// Everything was stopped; what asks always() or cancelled() runs, one after another.
struct WorkflowCleanupStarted {
  std::vector<TaskId> tasks;
  Timestamp until{};  // then the clean-up is stopped as well
  friend bool operator==(const WorkflowCleanupStarted&, const WorkflowCleanupStarted&) = default;
};
struct WorkflowCompleted {
  std::vector<std::string> warnings;
  friend bool operator==(const WorkflowCompleted&, const WorkflowCompleted&) = default;
};
struct WorkflowFailed {
  std::string reason;
  std::optional<Error> error;
  friend bool operator==(const WorkflowFailed&, const WorkflowFailed&) = default;
};

struct TaskCompleted {
  AttemptId id;
  AgentId agent;
  Verdict verdict = Verdict::none;
  std::string summary;
  Shared<Object> outputs;
  std::vector<Evidence> evidence;
  std::vector<ArtifactRef> artifacts;
  std::string commit;  // the attempt's own commit; empty: it changed nothing
  std::string head;    // the branch head after merging it; empty: unchanged
  Usage usage;
  std::int64_t duration_ms = 0;
  std::optional<FeedbackPayload> feedback;
  friend bool operator==(const TaskCompleted&, const TaskCompleted&) = default;
};
/// What the ErrorHandler decided about a failed attempt.
enum class ErrorAction { retry, skip, escalate, dead_letter };
struct TaskFailed {
  AttemptId id;
  AgentId agent;
  Error error;
  ErrorAction action = ErrorAction::escalate;
  std::optional<Timestamp> retry_at;  // with retry
  std::vector<ArtifactRef> artifacts;
  std::vector<Evidence> evidence;
  Usage usage;
  std::int64_t duration_ms = 0;
  std::vector<Finding> findings;  // for the next attempt: paths of a merge conflict
  friend bool operator==(const TaskFailed&, const TaskFailed&) = default;
};
struct TaskSkipped {
  TaskId task;
  int round = 1;
  std::string reason;
  std::optional<int> attempt;  // the one whose agent found nothing to do; absent: none was started
  friend bool operator==(const TaskSkipped&, const TaskSkipped&) = default;
};
struct TaskExpanded {
  TaskId task;
  int round = 1;
  std::vector<Value> items;  // children are task[0] … task[n-1]
  friend bool operator==(const TaskExpanded&, const TaskExpanded&) = default;
};
struct GateDecided {
  Phase phase = Phase::development;
  int round = 1;
  bool passed = false;
  std::vector<std::string> reasons;
  std::vector<Digest> evidence;
  std::optional<Phase> next_phase;  // with passed; none after the last
  friend bool operator==(const GateDecided&, const GateDecided&) = default;
};
enum class RoundKind { rework, feedback, retry };
struct RoundOpened {
  int round = 1;
  RoundKind kind = RoundKind::rework;
  TaskId target;
  std::vector<TaskId> reset;  // target and all that needs it, in definition order
  FeedbackPayload feedback;
  friend bool operator==(const RoundOpened&, const RoundOpened&) = default;
};
struct ApprovalRequested {
  ApprovalId approval;
  std::optional<TaskId> task;  // before this task starts, or …
  std::optional<Phase> phase;  // … before the gate of this phase is passed
  int round = 1;
  std::string reason;
  std::optional<Timestamp> expires_at;
  friend bool operator==(const ApprovalRequested&, const ApprovalRequested&) = default;
};
enum class ApprovalOutcome { approved, rejected, expired };
struct ApprovalResolved {
  ApprovalId approval;
  ApprovalOutcome outcome = ApprovalOutcome::approved;
  std::string by;
  std::string comment;
  friend bool operator==(const ApprovalResolved&, const ApprovalResolved&) = default;
};

using Event = std::variant<WorkflowStarted, WorkflowClaimed, WorkflowPaused, WorkflowResumed, WorkflowCancelRequested, WorkflowCancelled,
                           WorkflowCompleted, WorkflowFailed, TaskCompleted, TaskFailed, TaskSkipped, TaskExpanded, GateDecided,
                           RoundOpened, ApprovalRequested, ApprovalResolved, WorkflowCleanupStarted, WorkflowForked>;

}  // namespace conductorai
