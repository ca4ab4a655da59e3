#pragma once
// ConductorAI: the facade. Owns the event loop and every component; the CLI, the server and embedding programs see nothing else.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/answer_piece.hpp"
#include "conductorai/artifact_store.hpp"
#include "conductorai/base_agent.hpp"
#include "conductorai/definition.hpp"
#include "conductorai/events.hpp"
#include "conductorai/forecast.hpp"
#include "conductorai/models.hpp"
#include "conductorai/prober.hpp"
#include "conductorai/release_manager.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai {

/// Sandboxed commands and releases start the running program again as their helper. Call it first thing in main: it answers with an exit
/// code when argv names one of these modes, and does no more than that mode needs.
std::optional<int> run_internal_command(int argc, char** argv);

/// How real providers are reached (docs/llm.md). Workflows name provider and model; none of this is ever recorded.
/// Calls that can wait (`llm.batch`).
struct BatchOptions {
  Milliseconds window{1'000};        // calls that come within it after the first go together
  int calls_max = 10'000;            // of one batch
  Milliseconds poll{10'000};         // between two looks at a batch, growing …
  Milliseconds poll_max{120'000};    // … to this
  Milliseconds timeout{86'400'000};  // of a batch; then it is cancelled, and what was answered until then counts
};

struct LlmOptions {
  std::string base_url;                                // empty: the provider's own; else a service that speaks its protocol
  std::map<std::string, std::string> base_urls;        // of one provider, in place of base_url
  std::string api = "chat";                            // of openai: chat or responses
  bool stream = true;                                  // answers are asked for in pieces; false: whole, for services that cannot
  std::string organisation;                            // of openai
  std::map<std::string, std::string> headers;          // more of them, sent with each request
  std::string proxy;                                   // empty: by the usual variables
  std::filesystem::path ca_file;                       // empty: the machine's own
  std::filesystem::path prices;                        // a table that comes before the built-in one
  Milliseconds timeout{120'000};                       // of one call
  Milliseconds connect_timeout{10'000};                //
  Milliseconds first_byte_timeout{60'000};             // of the answer, once sent
  Milliseconds idle_timeout{60'000};                   // between two pieces of it
  int connections = 1'000;                             // to one service at once; of HTTP/2, each carries many requests
  std::int64_t requests_per_minute = 0;                // of this process to each provider; 0: only what the provider itself says
  std::int64_t tokens_per_minute = 0;                  //
  int breaker_failures = 5;                            // of one model in a row: it is not asked …
  Milliseconds breaker_open{30'000};                   // … for this long, then by one call
  Milliseconds cache_ttl{0};                           // how long an answer is given again to the same request; 0: never
  std::int64_t cache_bytes = std::int64_t{256} << 20;  // of all such answers
  BatchOptions batch;
  /// The key of "openai" or "anthropic", asked for when it is needed. Empty text: none is sent. Errors: those of reading the secret.
  std::function<Result<std::string>(const std::string& provider)> key;
};

struct Options {
  std::filesystem::path project_root;  // what relative paths of a definition refer to
  std::filesystem::path state_dir;     // ".conductorai" of the project
  std::string state = "sqlite";        // "sqlite", "memory"
  bool create_state = true;            // false: `initialize` answers not_found where there is no state directory yet
  std::string artifacts = "files";     // "files", "memory"
  int agents_per_type = 2;             // built-in agents registered of each type …
  std::map<std::string, int> agents;   // … but of these: "coding" -> 4
  int agent_capacity = 4;
  int max_concurrent_tasks = 0;                                 // of this process; 0: none
  Milliseconds cleanup_timeout{300'000};                        // of tasks that run after a cancel, together
  std::int64_t dependency_cache_bytes = std::int64_t{4} << 30;  // of fetched dependencies kept for later attempts; 0: none are
  BudgetDefinition day_budget;                                  // of all workflows of the state directory together, a day (UTC)
  int breaker_failures = 5;                                     // of an agent in a row: it gets no more work …
  Milliseconds breaker_open{30'000};                            // … for this long, then one attempt tries it
  Milliseconds breaker_wait{300'000};  // a task waits no longer for such agents: it fails, and lies in the dead letters
  LlmOptions llm;
  std::vector<std::string> secrets;  // masked, as keys of `llm` once they are read, in what commands print and in all that is kept
  std::function<void(const std::string& line)> on_progress;  // transient notices for a terminal; may be empty
  std::function<void(const AnswerPiece&)> on_text;           // what models answer, as it comes; may be empty
};

/// One event as watchers see it.
struct EventRecord {
  WorkflowId workflow;
  std::uint64_t seq = 0;
  Timestamp at{};
  std::string event;  // wire tag, "task.completed"
  int version = 1;
  std::string payload;  // JSON text
};

struct TaskView {
  TaskId id;
  AgentType agent;
  AgentId agent_id;
  Phase phase = Phase::development;
  TaskStatus status = TaskStatus::pending;
  int round = 1;
  int attempts = 0;  // of the latest round
  Verdict verdict = Verdict::none;
  std::string summary;
  std::string reason;  // why it waits, failed, was skipped
  std::vector<Evidence> evidence;
  std::vector<ArtifactRef> artifacts;
  Object outputs;
  std::int64_t duration_ms = 0;
  std::vector<TaskId> needs;
};
struct ApprovalView {
  ApprovalId id;
  std::string subject;  // "task deploy", "gate DEVELOPMENT"
  std::string reason;
  std::optional<Timestamp> expires_at;
};
/// A workflow folded from its journal, for people and JSON output.
struct WorkflowView {
  WorkflowId id;
  std::string name;
  WorkflowStatus status = WorkflowStatus::pending;
  Phase phase = Phase::development;
  int rounds = 1;
  int feedback_loops = 0;
  std::vector<TaskView> tasks;          // definition order
  std::vector<ApprovalView> approvals;  // open ones
  Usage usage;
  std::string branch, commit, tree;
  std::filesystem::path repo;
  std::optional<ReleaseInfo> release;  // its newest, as it is now
  std::vector<std::string> warnings;
  std::string owner;  // "pid@host"; "none (interrupted)"; empty when it needs none
  std::string reason;
  std::optional<Error> error;  // of a failed one
  std::optional<PauseKind> paused_for;
  std::optional<WorkflowForked> forked_from;
  Timestamp started_at{}, updated_at{};
  std::int64_t duration_ms = 0;
};

/// Commands to a workflow from anywhere: applied directly by its owner, through the inbox otherwise.
struct PauseWorkflow {
  std::string by;
};
struct CancelWorkflow {
  std::string by, reason;
};
struct ResolveApproval {
  ApprovalId approval;
  bool approve = true;
  std::string by, comment;
};  // empty id: the only open one
struct RetryWorkflow {
  std::string by;
  std::optional<TaskId> task;
};  // reopen a FAILED one at its failed tasks
using ControlCommand = std::variant<PauseWorkflow, CancelWorkflow, ResolveApproval, RetryWorkflow>;

/// A new workflow that goes on from a point of another one's journal; that one may be running, and stays as it is.
struct ForkRequest {
  WorkflowId workflow;               // the other one
  std::optional<std::uint64_t> seq;  // its events before this one stand …
  std::optional<TaskId> task;        // … or those before the first result of this task's latest run; neither: none, all runs anew
  Object inputs;                     // in place of the other one's
  RunOverrides overrides;            // as of resume
  std::string by;
};

/// A look at a running release, at any time after its workflow ended.
struct MonitorRequest {
  std::string app;                                    // name of its workflow, or a release id; empty: the newest that serves
  WorkflowId workflow;                                // whose monitor task says what to look at; empty: the one that deployed it
  std::optional<Milliseconds> window;                 // instead of that task's
  std::function<void(const ProbeSample&)> on_sample;  // as they come; may be empty
};
struct MonitorReport {
  WorkflowId workflow;  // that deployed the release
  ReleaseInfo release;
  bool healthy = false;
  std::string summary;
  std::vector<Evidence> evidence;  // kinds probes, slo, process, log
  std::vector<Finding> findings;
  std::string samples;  // JSON, docs/formats/samples.md
};

struct PruneRequest {
  RetentionRule rule;
  bool dry_run = false;                               // tells what it would do
  std::function<void(const WorkflowId&)> on_removed;  // nothing is left of it; also of one that an earlier, killed call had begun with
};
struct PruneReport {
  struct Kept {
    WorkflowSummary workflow;
    std::string reason;
  };
  std::vector<WorkflowSummary> removed;  // newest first
  std::vector<Kept> kept;                // although the rule lets them go
  std::int64_t freed_bytes = 0;          // of artifacts and the state database
};

struct LlmCheck {
  std::string provider, model, answer;
  FinishReason finish = FinishReason::stop;
  Usage usage;
  std::int64_t duration_ms = 0;
};

/// Calls run the event loop until their answer is there; events are delivered meanwhile, on the calling thread.
/// `interrupt()` may be called from a signal handler or another thread.
class ConductorAI {
 public:
  explicit ConductorAI(Options options);
  ~ConductorAI();
  ConductorAI(const ConductorAI&) = delete;
  ConductorAI& operator=(const ConductorAI&) = delete;

  /// Opens the stores and registers the built-in agents. Errors: unavailable, data_corrupted, unsupported (newer state).
  Result<void> initialize();
  /// Lets running attempts end or cancels them, syncs, closes. Idempotent.
  void shutdown();

  Result<void> register_agent(std::unique_ptr<BaseAgent> agent);
  [[nodiscard]] std::vector<AgentDescription> agent_descriptions() const;
  /// Of the built-in agents, without an instance: nothing is opened or started.
  [[nodiscard]] static std::vector<AgentDescription> built_in_agents();

  /// `created` is called once with the id, after workflow.started is durable. Returns when the workflow is terminal, PAUSED, or
  /// interrupted (status IN_PROGRESS, owner "none (interrupted)").
  Result<WorkflowView> run_workflow(WorkflowDefinition definition, std::function<void(const EventRecord&)> on_event = {});
  /// Takes over an interrupted or paused workflow and goes on as run_workflow. Errors: conflict (a living owner), not_found.
  Result<WorkflowView> resume_workflow(WorkflowId id, RunOverrides overrides, std::function<void(const EventRecord&)> on_event = {});
  /// Starts the new workflow and sees it through as run_workflow. What stands is not paid again; budgets count anew, those of the project
  /// go on. Errors: not_found (workflow, task, a commit that is gone), invalid_argument (the point, inputs), those of run_workflow.
  Result<WorkflowView> fork_workflow(ForkRequest request, std::function<void(const EventRecord&)> on_event = {});
  /// To the owner, or applied here when nobody owns it. Errors: not_found, conflict (the command does not fit the state).
  Result<void> control(WorkflowId id, ControlCommand command);

  Result<WorkflowView> get_workflow_state(WorkflowId id);
  Result<std::vector<WorkflowSummary>> list_workflows(WorkflowFilter filter);
  /// Events from `from_seq` on; with `follow` goes on until the workflow is terminal, paused or without owner, or interrupted.
  /// `on_text`, while it follows: what models answer in the process that runs the workflow, as it comes there; may be empty.
  Result<void> read_events(WorkflowId id, std::uint64_t from_seq, bool follow, std::function<void(const EventRecord&)> on_event,
                           std::function<void(const AnswerPiece&)> on_text = {});
  Result<std::shared_ptr<const WorkflowDefinition>> get_definition(WorkflowId id);

  /// Removes ended workflows: journal, steps, artifacts that no other one points to, worktrees, repositories made for them. Never one that
  /// has an owner, whose release serves or is what a rollback goes back to, or in whose repository another one works. What they used still
  /// counts to the project's days. Killed at any time it leaves each of them whole or gone; the next call finishes. Errors:
  /// invalid_argument (the rule says nothing), those of the stores.
  Result<PruneReport> prune(PruneRequest request);

  Result<std::string> get_artifact(Digest digest);
  Result<std::vector<ArtifactRecord>> query_artifacts(ArtifactQuery query);
  Result<std::vector<StepRecord>> list_steps(WorkflowId id);
  /// Watches for a whole window. It changes nothing: what follows from its answer is the caller's decision.
  /// Errors: not_found (nothing serves), invalid_argument (probes), unavailable (too few samples), cancelled (interrupted).
  Result<MonitorReport> monitor_release(MonitorRequest request);
  /// Names of the models the provider offers. Errors: as its calls.
  Result<std::vector<std::string>> list_models(std::string provider);
  /// One short call to the model, outside of any workflow and its budget. Errors: as the provider's.
  Result<LlmCheck> check_model(LlmDefinition llm);
  /// Whether the workflow's model can be reached for under its budget, without calling it. Errors: unsupported, invalid_argument (a money
  /// budget and no known price).
  [[nodiscard]] Result<void> check_llm(const WorkflowDefinition& definition) const;
  /// What the workflow may cost and what each policy says of it; nothing is called. Errors: of the price table, of the stores.
  Result<Forecast> forecast(WorkflowDefinition definition);
  Result<std::vector<AgentState>> agent_states();
  Result<std::vector<DeadLetter>> dead_letters();
  /// Requeues or drops. An attempt is requeued by opening its failed workflow again at its task; any other message is published again.
  /// Errors: not_found; conflict (the workflow has not failed); unavailable (nobody listens here, the letter stays).
  Result<void> resolve_dead_letter(std::int64_t id, bool requeue);

  /// Releases of this state directory, newest first, as they are now. Errors of these calls: as ReleaseManager.
  Result<std::vector<ReleaseInfo>> list_releases();
  Result<ReleaseInfo> get_release(std::string id);
  /// The newest bytes of what the service printed, made printable.
  Result<std::string> release_logs(std::string id, std::int64_t bytes_max);
  Result<ReleaseInfo> stop_release(std::string id, std::string reason);
  /// Back to the release before `id`; answers with the one that serves now.
  Result<ReleaseInfo> rollback_release(std::string id);

  /// Stops taking up work, cancels attempts, keeps the state; the running call returns.
  void interrupt() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace conductorai
