#pragma once
// StateManager: everything durable but artifacts. Journal, steps ledger with budgets, command inbox, ownership, dead letters, agent states.
// It stores and guards; it interprets no event (that is core's business).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/models.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/time.hpp"

namespace conductorai {

/// The columns a listing shows, written in the same transaction as the events they follow from.
struct WorkflowSummary {
  WorkflowId id;
  std::string name;
  WorkflowStatus status = WorkflowStatus::pending;
  Phase phase = Phase::development;
  int round = 1;
  std::string reason;
  Timestamp created_at{};
  Timestamp updated_at{};
  std::string owner;         // "pid@host" as recorded; empty: none
  bool owner_alive = false;  // filled by list/get, from the OS lock
  std::uint64_t last_seq = 0;
  friend bool operator==(const WorkflowSummary&, const WorkflowSummary&) = default;
};

/// One decided batch. `body` is the encoded row (docs/formats/journal.md); the store never looks inside.
struct JournalRow {
  WorkflowId workflow;
  std::uint64_t first_seq = 1;  // of its first event; gapless
  std::uint32_t count = 1;      // events in the body
  Timestamp at{};
  std::uint64_t epoch = 1;
  std::string body;
  friend bool operator==(const JournalRow&, const JournalRow&) = default;
};

struct AppendRequest {
  JournalRow row;  // row.first_seq - 1 is the expected last sequence; row.epoch must be the current one
  WorkflowSummary summary;
  std::vector<std::int64_t> consumed_commands;  // inbox ids decided in this row; removed in the same transaction
};

/// Whose turn it is. Appends with an older epoch are fenced.
struct Ownership {
  WorkflowId workflow;
  std::uint64_t epoch = 0;
};

struct InboxCommand {
  std::int64_t id = 0;
  WorkflowId workflow;
  std::string body;  // encoded core command
  friend bool operator==(const InboxCommand&, const InboxCommand&) = default;
};

/// Amounts of one call or one limit; a limit left out is no limit.
struct Amounts {
  std::int64_t usd_micros = 0;
  std::int64_t tokens = 0;
  std::int64_t calls = 0;
  std::int64_t wall_ms = 0;
  friend bool operator==(const Amounts&, const Amounts&) = default;
};
struct BudgetScope {
  std::string key;  // "workflow/<id>", "task/<id>/<task>", "agent/<id>/<type>", "project/<date>"
  std::optional<std::int64_t> usd_micros, tokens, calls, wall_ms;  // limits in force; absent: none
  [[nodiscard]] bool limited() const { return usd_micros || tokens || calls || wall_ms; }
  friend bool operator==(const BudgetScope&, const BudgetScope&) = default;
};
struct BudgetUse {
  Amounts spent;
  Amounts reserved;
  friend bool operator==(const BudgetUse&, const BudgetUse&) = default;
};

enum class StepStatus { sent, answered, failed, unknown };
std::string_view to_string(StepStatus status);

struct StepRecord {
  StepId id;
  int tries = 1;               // the current try, from 1
  std::string kind;            // llm, tool, release
  std::string request_digest;  // a different one at the same ordinal is a divergence
  StepStatus status = StepStatus::sent;
  Amounts reserved;         // while sent
  Usage usage;              // settled, over all tries
  std::string response;     // JSON; large bodies are references inside it
  std::string tree;         // git tree the step left, where it changes files
  bool set_aside = false;   // after a divergence: kept for the record, never an answer
  std::uint64_t epoch = 0;  // of the try
  friend bool operator==(const StepRecord&, const StepRecord&) = default;
};

struct StepBegin {
  StepId id;
  std::string kind;
  std::string request_digest;
  Amounts worst_case;
  std::vector<BudgetScope> scopes;
  std::uint64_t epoch = 0;
  bool diverged = false;  // set aside this ordinal and all after it in the attempt, then begin
  bool take_up = false;   // a `sent` try of this digest is not hidden: its caller knows where the answer is, and waits for it
};
/// `begun`: reserved, go and send. `answered`: use record.response, perform nothing. `refused`: no budget, nothing reserved.
struct StepBegun {
  enum class Outcome { begun, answered, refused } outcome = Outcome::begun;
  StepRecord record;
  std::string refusal;  // "workflow/wf-…: calls: 10 of 10 used, 1 more asked"
  std::string held_in;  // with `refused`: the scope that would hold it but for what steps under way hold; empty: it is used up
};
struct StepFinish {
  StepId id;
  int try_number = 1;
  StepStatus status = StepStatus::answered;  // answered, failed (nothing charged) or unknown (charged at the worst case); or sent: no end
                                             // yet, `response` is kept with the try that is out
  Usage usage;                               // with answered
  std::string response;
  std::string tree;
  std::uint64_t epoch = 0;
};

struct DeadLetter {
  std::int64_t id = 0;
  std::string channel;
  std::string reason;   // expired, undeliverable, poison, breaker_open
  std::string message;  // encoded message
  WorkflowId workflow;
  Timestamp at{};
  friend bool operator==(const DeadLetter&, const DeadLetter&) = default;
};

struct WorkflowFilter {
  std::vector<WorkflowStatus> statuses;  // empty: all
  std::string name;                      // exact; empty: all
  int limit = 100;                       // newest first
  std::string after;                     // continue after this workflow id
};

/// Which ended workflows may be removed: those that both let go. Neither given: none.
struct RetentionRule {
  std::optional<Milliseconds> older_than;  // that ended longer ago
  std::optional<int> keep;                 // all but so many that ended last
  friend bool operator==(const RetentionRule&, const RetentionRule&) = default;
};

/// Errors of every call: unavailable (store unreachable), resource_exhausted (disk full), data_corrupted.
/// Called on the loop's thread; a call that was cancelled while its transaction ran may still have happened, so callers do not
/// cancel writes (they finish in bounded time).
class StateManager {
 public:
  virtual ~StateManager() = default;

  // --- ownership ---------------------------------------------------------------------------------------------------
  /// Takes a workflow whose owner is gone (or that is new) and raises its epoch. Errors: conflict with the living owner's "pid@host" in
  /// `where`. A new workflow id needs no claim: its first append (first_seq 1, epoch 1) creates and owns it.
  virtual task<Result<Ownership>> claim(WorkflowId workflow, std::string owner) = 0;
  /// Gives it up; the workflow is then listed with no owner. Idempotent. True: commands that came meanwhile still wait. Who posts one looks
  /// for a living owner afterwards, so one of the two sees the other.
  virtual task<Result<bool>> release(WorkflowId workflow) = 0;

  // --- journal -----------------------------------------------------------------------------------------------------
  /// Durable when it returns. Errors: conflict (sequence), fenced (epoch), already_exists (first_seq 1 of a known id).
  virtual task<Result<void>> append(AppendRequest request) = 0;
  /// Rows from the one that holds `from_seq` on, in order, at most `limit` (0: all). Unknown workflow: empty.
  virtual task<Result<std::vector<JournalRow>>> load(WorkflowId workflow, std::uint64_t from_seq, int limit) = 0;
  virtual task<Result<std::vector<WorkflowSummary>>> list(WorkflowFilter filter) = 0;
  /// Errors: not_found.
  virtual task<Result<WorkflowSummary>> get(WorkflowId workflow) = 0;
  /// Returns once something of this workflow (rows or summary) may have changed since the last call on this object, in this or
  /// another process; spurious returns are allowed. Errors: cancelled.
  virtual task<Result<void>> wait_for_change(WorkflowId workflow) = 0;

  // --- steps ledger --------------------------------------------------------------------------------------------------
  /// One durable transaction. Over an existing record of the ordinal: `answered` and same digest → answered; `sent` → becomes unknown,
  /// charged at its reservation, and the next try begins (with `take_up` and the same digest that same try goes on, with its reservation);
  /// `failed`/`unknown` → next try. Refused when
  /// spent + reserved + worst_case would pass a limit in any scope.
  virtual task<Result<StepBegun>> begin_step(StepBegin step) = 0;
  /// Settles the reservation. A finish of an earlier try or older epoch settles its cost and never replaces an answer. Idempotent.
  virtual task<Result<void>> finish_step(StepFinish step) = 0;
  virtual task<Result<std::vector<StepRecord>>> load_steps(AttemptId attempt) = 0;
  /// All of a workflow, in order of first begin.
  virtual task<Result<std::vector<StepRecord>>> list_steps(WorkflowId workflow) = 0;
  virtual task<Result<BudgetUse>> budget_use(std::string scope) = 0;

  // --- command inbox -------------------------------------------------------------------------------------------------
  /// From any process. Durable, then wakes the owner.
  virtual task<Result<std::int64_t>> post_command(WorkflowId workflow, std::string body) = 0;
  /// Waiting commands, oldest first, of every workflow where the id is empty; they stay until an append consumes them (or
  /// `discard_commands`).
  virtual task<Result<std::vector<InboxCommand>>> commands(WorkflowId workflow) = 0;
  virtual task<Result<void>> discard_commands(std::vector<std::int64_t> ids) = 0;
  /// Called on the loop's thread when a command of any workflow may have arrived from another process. One listener.
  virtual void on_command(std::function<void()> listener) = 0;

  // --- dead letters, agents --------------------------------------------------------------------------------------------
  virtual task<Result<std::int64_t>> put_dead_letter(DeadLetter letter) = 0;
  virtual task<Result<std::vector<DeadLetter>>> dead_letters() = 0;  // oldest first
  /// Removes it and returns it for requeueing or dropping. Errors: not_found.
  virtual task<Result<DeadLetter>> take_dead_letter(std::int64_t id) = 0;
  virtual task<Result<void>> save_agent_states(std::vector<AgentState> states) = 0;  // upsert
  virtual task<Result<std::vector<AgentState>>> agent_states() = 0;                  // by id
  virtual task<Result<void>> remove_agent_state(AgentId agent) = 0;

  // --- retention -------------------------------------------------------------------------------------------------------
  /// Forgets an ended workflow in one durable transaction: listing, rows, steps, dead letters, commands, its own budgets. What it used
  /// still counts to the project's days; a step that is still out counts in full. From then on `removals` names it. Errors: not_found;
  /// conflict (it has not ended, or its owner, alive or dead, has not released it).
  virtual task<Result<void>> remove_workflow(WorkflowId workflow) = 0;
  /// Workflows removed here that may have left something elsewhere: artifacts, files.
  virtual task<Result<std::vector<WorkflowId>>> removals() = 0;
  /// Nothing is left anywhere. Idempotent.
  virtual task<Result<void>> finish_removal(WorkflowId workflow) = 0;
  /// Gives space that is no longer used back to the machine, in transactions short enough for others to work meanwhile. Returns the bytes.
  virtual task<Result<std::int64_t>> compact() = 0;
};

}  // namespace conductorai
