#pragma once
// WorkflowState: what a journal folds to. Only `evolve` changes it. A variant alternative holds only what that state has.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "conductorai/definition.hpp"
#include "conductorai/events.hpp"
#include "conductorai/models.hpp"

namespace conductorai::core {

// --- task machine (task_machine.cpp has its transition table) --------------------------------------------------------
namespace task_state {
struct Waiting {};                                   // needs not met, or phase not reached
struct AwaitingApproval { ApprovalId approval; };
struct Live { int attempt = 1; };                    // handed over or to be handed over: outstanding
struct Backoff { int next_attempt = 2; Timestamp retry_at{}; };
struct Expanded {};                                  // foreach parent: its children run
struct Completed { Verdict verdict = Verdict::none; };
struct Failed { Error error; bool tolerated = false; };  // tolerated: continue-on-error
struct Skipped { std::string reason; };
struct Cancelled {};
}  // namespace task_state
using TaskMachine = std::variant<task_state::Waiting, task_state::AwaitingApproval, task_state::Live, task_state::Backoff, task_state::Expanded,
                                 task_state::Completed, task_state::Failed, task_state::Skipped, task_state::Cancelled>;

struct TaskRecord {
  TaskDefinition definition;  // of foreach children: the parent's with their own id
  Phase phase = Phase::development;
  TaskMachine machine;
  int round = 1;              // of its latest run
  int attempts = 0;           // recorded or live ones of that round
  bool approved = false;      // an approval for its start is on record in this round
  std::optional<Value> foreach_item;
  std::optional<TaskId> parent;  // of a foreach child
  std::vector<TaskId> children;
  // latest result
  AgentId agent;
  std::string summary;
  Object outputs;
  std::vector<Evidence> evidence;
  std::vector<ArtifactRef> artifacts;
  std::string commit;
  std::optional<FeedbackPayload> feedback;  // of a failed verdict
  Usage usage;                              // over all attempts
  std::int64_t duration_ms = 0;
};

// --- workflow machine -------------------------------------------------------------------------------------------------
namespace workflow_state {
struct Pending {};
struct InProgress {};
struct Paused { PauseKind kind = PauseKind::user; std::string reason; };
struct Cancelling { std::string reason; };  // cancel requested; live attempts are being stopped
struct Completed {};
struct Failed { std::string reason; std::optional<Error> error; };
struct Cancelled { std::string reason; };
}  // namespace workflow_state
using WorkflowMachine = std::variant<workflow_state::Pending, workflow_state::InProgress, workflow_state::Paused, workflow_state::Cancelling,
                                     workflow_state::Completed, workflow_state::Failed, workflow_state::Cancelled>;

struct Approval {
  ApprovalRequested request;
  std::optional<ApprovalOutcome> outcome;  // none: open
};

struct RoundRecord {
  int round = 1;
  RoundKind kind = RoundKind::rework;
  TaskId target;
  FeedbackPayload feedback;
};

struct WorkflowState {
  WorkflowId id;
  std::shared_ptr<const WorkflowDefinition> definition;  // as pinned, with the latest overrides applied
  WorkflowMachine machine;
  std::uint64_t last_seq = 0;
  Timestamp started_at{}, updated_at{};
  Phase phase = Phase::development;        // the phase being worked on
  std::map<Phase, bool> gate_passed;
  std::map<Phase, int> passes;             // of a phase since it was last entered; rework bound
  int round = 1;
  int loops = 0;                           // feedback loops so far
  int claims_without_progress = 0;         // consecutive claims with no other event between
  std::string branch, base_commit, head;   // head: what the branch points to (or is about to)
  std::string owner;
  RunOverrides overrides;                  // accumulated
  std::vector<RoundRecord> rounds;         // those after the first
  std::map<ApprovalId, Approval> approvals;
  std::vector<std::string> warnings;
  Usage usage;                             // of all recorded results

  std::vector<TaskId> order;               // definition order; children follow their parent
  std::map<TaskId, TaskRecord> tasks;
  // Indexes, never scans (rebuilt by evolve, compared with a scan by a property test):
  std::map<TaskId, std::vector<TaskId>> dependents;
  std::map<TaskId, int> unmet_needs;       // needs not yet settled
  std::set<TaskId> ready;                  // Waiting, needs settled, phase reached
  std::set<TaskId> live;                   // Live, AwaitingApproval, Backoff
  std::map<Phase, int> unsettled;          // tasks of the phase that are not terminal
};

/// A fresh state of a definition, before its first event.
WorkflowState initial_state(WorkflowId id, std::shared_ptr<const WorkflowDefinition> definition);

[[nodiscard]] WorkflowStatus status(const WorkflowState& state);
[[nodiscard]] TaskStatus status(const WorkflowState& state, const TaskRecord& task);  // BLOCKED is derived here
[[nodiscard]] bool terminal(const WorkflowState& state);
/// One sentence: why it failed, paused or what it waits for; empty when it simply runs or completed.
[[nodiscard]] std::string reason(const WorkflowState& state);
/// Phase of a task by DESIGN §6 (own, agent type's, latest of its needs, development).
[[nodiscard]] Phase phase_of(const WorkflowDefinition& definition, const TaskDefinition& task);

}  // namespace conductorai::core
