#pragma once
// WorkflowState: what a journal folds to. Only `evolve` changes it. A variant alternative holds only what that state has.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/events.hpp"
#include "conductorai/models.hpp"
#include "conductorai/shared.hpp"

namespace conductorai::core {

// --- task machine (task_machine.cpp has its transition table) --------------------------------------------------------
namespace task_state {
/// Needs not settled, phase not reached, no free slot of its foreach, or the workflow is paused.
struct Waiting {
  friend bool operator==(const Waiting&, const Waiting&) = default;
};
struct AwaitingApproval {
  ApprovalId approval;
  friend bool operator==(const AwaitingApproval&, const AwaitingApproval&) = default;
};
/// Handed over or to be handed over: outstanding. A failed attempt with a retry makes the next one live at once, to be handed over when
/// its back-off ends: that end needs no event.
struct Live {
  int attempt = 1;
  std::string base;                     // head when it became live
  std::optional<Timestamp> not_before;  // of a retry
  friend bool operator==(const Live&, const Live&) = default;
};
/// A foreach parent whose children run.
struct Expanded {
  friend bool operator==(const Expanded&, const Expanded&) = default;
};
struct Completed {
  Verdict verdict = Verdict::none;
  friend bool operator==(const Completed&, const Completed&) = default;
};
/// `tolerated`: continue-on-error.
struct Failed {
  Shared<Error> error;
  bool tolerated = false;
  friend bool operator==(const Failed&, const Failed&) = default;
};
struct Skipped {
  std::string reason;
  bool by_agent = false;  // it started, and its agent found nothing to do: worth a warning
  friend bool operator==(const Skipped&, const Skipped&) = default;
};
/// The workflow ended over it.
struct Cancelled {
  friend bool operator==(const Cancelled&, const Cancelled&) = default;
};
}  // namespace task_state
using TaskMachine = std::variant<task_state::Waiting, task_state::AwaitingApproval, task_state::Live, task_state::Expanded,
                                 task_state::Completed, task_state::Failed, task_state::Skipped, task_state::Cancelled>;

struct TaskRecord {
  Shared<TaskDefinition> definition;  // of foreach children: the parent's with their own id
  Phase phase = Phase::development;
  TaskMachine machine;
  int round = 1;          // of its latest run
  int attempts = 0;       // recorded or live ones of that round
  bool approved = false;  // an approval for its start is on record in this round
  std::optional<Value> foreach_item;
  std::optional<TaskId> parent;  // of a foreach child
  std::vector<TaskId> children;
  // latest result
  AgentId agent;
  std::string summary;
  Shared<Object> outputs;
  std::vector<Evidence> evidence;
  std::vector<ArtifactRef> artifacts;
  std::string commit;
  Rare<FeedbackPayload> feedback;  // of a failed verdict
  std::vector<Finding> findings;   // of the attempt before the live one: paths of a merge conflict
  Usage usage;                     // over all attempts
  std::int64_t duration_ms = 0;
  // indexes
  std::vector<TaskId> dependents;   // direct ones; none of foreach children, as the next
  int unmet_needs = 0;              // needs not settled
  bool runs_after_failure = false;  // its condition asks success(), failure(), always() or cancelled() itself
  bool blocked = false;             // Waiting for good: a need failed and its condition asks for none of these
  std::uint64_t since = 0;          // seq of the event that made it Live or AwaitingApproval
  int unsettled_children = 0;       // of a foreach parent …
  int running_children = 0;         // … those that are Live
  std::size_t next_child = 0;       // … where to look for the next one to start
  friend bool operator==(const TaskRecord&, const TaskRecord&) = default;
};

// --- workflow machine -------------------------------------------------------------------------------------------------
namespace workflow_state {
/// Before workflow.started.
struct Pending {
  friend bool operator==(const Pending&, const Pending&) = default;
};
struct InProgress {
  friend bool operator==(const InProgress&, const InProgress&) = default;
};
struct Paused {
  PauseKind kind = PauseKind::user;
  std::string reason;
  friend bool operator==(const Paused&, const Paused&) = default;
};
/// Cancel requested, or the deadline passed: live attempts are being stopped.
struct Cancelling {
  std::string reason;
  bool deadline = false;  // ends FAILED
  bool cleaned = false;   // its clean-up is what is being stopped
  friend bool operator==(const Cancelling&, const Cancelling&) = default;
};
/// Everything was stopped; tasks that ask always() or cancelled() run one after another.
struct CleaningUp {
  std::string reason;
  bool deadline = false;     // ends FAILED
  std::vector<TaskId> left;  // not begun yet
  Timestamp until{};
  friend bool operator==(const CleaningUp&, const CleaningUp&) = default;
};
struct Completed {
  friend bool operator==(const Completed&, const Completed&) = default;
};
struct Failed {
  std::string reason;
  std::optional<Error> error;
  friend bool operator==(const Failed&, const Failed&) = default;
};
struct Cancelled {
  std::string reason;
  friend bool operator==(const Cancelled&, const Cancelled&) = default;
};
}  // namespace workflow_state
using WorkflowMachine =
    std::variant<workflow_state::Pending, workflow_state::InProgress, workflow_state::Paused, workflow_state::Cancelling,
                 workflow_state::CleaningUp, workflow_state::Completed, workflow_state::Failed, workflow_state::Cancelled>;

struct Approval {
  ApprovalRequested request;
  std::optional<ApprovalOutcome> outcome;  // none: open
  std::string by, comment;                 // of the outcome
  friend bool operator==(const Approval&, const Approval&) = default;
};

struct RoundRecord {
  int round = 1;
  RoundKind kind = RoundKind::rework;
  TaskId target;
  FeedbackPayload feedback;
  friend bool operator==(const RoundRecord&, const RoundRecord&) = default;
};

/// One value for each phase.
template <class T>
struct PerPhase {
  std::array<T, 3> values{};
  T& operator[](Phase phase) { return values[static_cast<std::size_t>(phase)]; }
  const T& operator[](Phase phase) const { return values[static_cast<std::size_t>(phase)]; }
  friend bool operator==(const PerPhase&, const PerPhase&) = default;
};

struct WorkflowState {
  WorkflowId id;
  std::shared_ptr<const WorkflowDefinition> definition;  // as pinned, with the latest overrides applied
  WorkflowMachine machine;
  std::uint64_t last_seq = 0;
  Timestamp started_at{}, updated_at{};
  Phase phase = Phase::development;  // the phase being worked on
  std::map<Phase, bool> gate_passed;
  std::map<Phase, int> passes;  // of a phase since it was last entered; rework bound
  int round = 1;
  int loops = 0;                          // feedback loops so far
  int loops_before_retry = 0;             // those before the latest retry: it starts the bounds afresh
  int claims_without_progress = 0;        // consecutive claims with no other event between
  std::string branch, base_commit, head;  // head: what the branch points to (or is about to)
  std::string owner;
  std::optional<WorkflowForked> origin;  // of a fork
  RunOverrides overrides;                // accumulated
  std::vector<RoundRecord> rounds;       // those after the first
  std::map<ApprovalId, Approval> approvals;
  std::vector<std::string> warnings;
  std::string parked;         // why the journal could not be followed any further; empty in all good cases
  Timestamp deadline_from{};  // the workflow's timeout counts from its start or its latest retry
  Usage usage;                // of all recorded results

  std::vector<TaskId> order;  // definition order; children follow their parent
  std::unordered_map<TaskId, TaskRecord> tasks;
  // Indexes, never scans (kept by evolve, compared with a scan by a property test). A task is settled when it is terminal or blocked.
  // Of definition tasks only, but for live and live_since.
  PerPhase<std::vector<TaskId>> by_phase;                 // in definition order
  PerPhase<int> unsettled;                                // tasks of the phase that run or can still start
  std::set<TaskId> ready;                                 // Waiting, needs settled, phase reached, not blocked: held by a pause
  std::set<TaskId> expanded;                              // Expanded
  std::set<TaskId> live;                                  // Live, AwaitingApproval; foreach children too
  std::set<std::pair<std::uint64_t, TaskId>> live_since;  // the same by TaskRecord::since

  /// Definitions are compared by value.
  friend bool operator==(const WorkflowState& a, const WorkflowState& b);
};

/// Where in a definition's list a task stands. Borrows the ids.
class TaskPlaces {
 public:
  explicit TaskPlaces(const WorkflowDefinition& definition);
  [[nodiscard]] std::optional<std::size_t> find(const TaskId& id) const;
  /// An id that several tasks have; null where each is its own.
  [[nodiscard]] const TaskId* repeated(const WorkflowDefinition& definition) const;

 private:
  std::vector<std::pair<std::string_view, std::size_t>> by_id_;  // sorted
};

/// A fresh state of a definition, before its first event. A definition that StartWorkflow would refuse gives a state that refuses it.
WorkflowState initial_state(WorkflowId id, std::shared_ptr<const WorkflowDefinition> definition);

[[nodiscard]] WorkflowStatus status(const WorkflowState& state);
[[nodiscard]] TaskStatus status(const WorkflowState& state, const TaskRecord& task);  // BLOCKED is derived here
[[nodiscard]] bool terminal(const WorkflowState& state);
/// In progress, but only people can move it on: an approval is open and no attempt is live.
[[nodiscard]] bool waits_for_people(const WorkflowState& state);
/// Cancelled, and what asks always() or cancelled() runs.
[[nodiscard]] bool cleaning_up(const WorkflowState& state);
/// One sentence: why it failed, paused or what it waits for; empty when it simply runs or completed.
[[nodiscard]] std::string reason(const WorkflowState& state);
/// Phase of a task: its own key, else its agent type's (or a later one that its needs have), else the latest of its needs, else
/// development.
[[nodiscard]] Phase phase_of(const WorkflowDefinition& definition, const TaskDefinition& task);
/// The same for all tasks, in one pass; tasks of a cycle have none.
using PhaseByPlace = std::vector<std::optional<Phase>>;
[[nodiscard]] PhaseByPlace phases_by_place(const WorkflowDefinition& definition);
[[nodiscard]] std::map<TaskId, Phase> phases_of(const WorkflowDefinition& definition);
/// Writes down the phase of tasks that name none and whose agents, of types unknown here, belong to a later one than their needs.
void name_phases(WorkflowDefinition& definition, const std::map<AgentType, Phase>& of_agents);
/// When the workflow's timeout ends; none without one.
[[nodiscard]] std::optional<Timestamp> deadline(const WorkflowState& state);

}  // namespace conductorai::core
