#pragma once
// The words of DESIGN in types: phases, statuses, verdicts, results, evidence, feedback, usage.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/result.hpp"
#include "conductorai/shared.hpp"
#include "conductorai/time.hpp"
#include "conductorai/value.hpp"

namespace conductorai {

enum class Phase { development, devops, monitoring };
enum class WorkflowStatus { pending, in_progress, paused, completed, failed, cancelled };
/// COMPLETED, FAILED or CANCELLED.
constexpr bool has_ended(WorkflowStatus status) {
  return status == WorkflowStatus::completed || status == WorkflowStatus::failed || status == WorkflowStatus::cancelled;
}
enum class TaskStatus { pending, in_progress, paused, completed, failed, cancelled, blocked, skipped };
enum class Verdict { none, passed, failed };
enum class Severity { info, warning, error, critical };
enum class AgentStatus { idle, busy, draining, offline };

/// Upper-case names of INTERFACE ("IN_PROGRESS", "DEVELOPMENT") for statuses and phases, lower-case for the others.
std::string_view to_string(Phase phase);
std::string_view to_string(WorkflowStatus status);
std::string_view to_string(TaskStatus status);
std::string_view to_string(Verdict verdict);
std::string_view to_string(Severity severity);
std::string_view to_string(AgentStatus status);

/// A fact a verdict rests on. `kind` is one of exit_code, test_report, diff, findings, validation, syntax, integrity, commit.
struct Evidence {
  std::string kind;
  std::string summary;                 // one line for people
  std::optional<std::int64_t> value;   // exit_code: the code
  std::optional<std::int64_t> passed;  // test_report: counts
  std::optional<std::int64_t> failed;
  std::optional<std::int64_t> skipped;
  Digest artifact;  // the bytes it was read from; empty only where there are none
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

struct Finding {
  Severity severity = Severity::error;
  std::string file;  // relative to the workspace; empty when it concerns no file
  int line = 0;      // 1-based; 0 unknown
  std::string message;
  std::string source;  // which check found it: "test", "linter:ruff", "llm", "integrity", "merge"
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// What failed verdicts tell an earlier task. Made from evidence, carried inside the journaled result.
struct FeedbackPayload {
  TaskId from;
  TaskId target;  // empty: the engine picks the nearest upstream coding task
  Severity severity = Severity::error;
  std::string summary;
  std::vector<Finding> findings;
  std::vector<std::string> recommendations;
  std::vector<TaskId> affected_tasks;
  std::vector<Digest> evidence;
  friend bool operator==(const FeedbackPayload&, const FeedbackPayload&) = default;
};

struct Usage {
  std::int64_t calls = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_calls = 0;
  std::int64_t unknown_calls = 0;
  std::int64_t usd_micros = 0;
  std::int64_t wall_ms = 0;
  friend bool operator==(const Usage&, const Usage&) = default;
  Usage& operator+=(const Usage& other) {
    calls += other.calls;
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    cached_calls += other.cached_calls;
    unknown_calls += other.unknown_calls;
    usd_micros += other.usd_micros;
    wall_ms += other.wall_ms;
    return *this;
  }
};

/// A named pointer to immutable bytes in the ArtifactStore.
struct ArtifactRef {
  std::string name;  // "stdout", "diff.patch", "report.xml"
  std::string type;  // code, diff, log, report, prompt, answer, fixture, definition, script, bundle
  Digest digest;
  std::int64_t size = 0;  // bytes
  friend bool operator==(const ArtifactRef&, const ArtifactRef&) = default;
};

/// How an attempt ended. `completed` carries a verdict, `failed` an error.
/// `suspended`: a budget or approval stopped it; the attempt stays live and is taken up again on resume.
enum class ResultStatus { completed, failed, cancelled, suspended };

struct TaskResult {
  AttemptId id;
  AgentId agent;
  ResultStatus status = ResultStatus::completed;
  Verdict verdict = Verdict::none;
  bool skipped = false;  // with completed: there was nothing to do, `summary` says why
  std::string summary;   // one line for people
  Shared<Object> outputs;
  std::vector<Evidence> evidence;
  std::vector<ArtifactRef> artifacts;
  std::string commit;  // git object id of the attempt's commit; empty when it changed nothing
  std::optional<FeedbackPayload> feedback;
  std::optional<Error> error;  // with failed, cancelled and suspended
  Usage usage;
  std::int64_t duration_ms = 0;
  friend bool operator==(const TaskResult&, const TaskResult&) = default;
};

/// What the coordinator knows of an agent; synced to the StateManager off the hot path.
struct AgentState {
  AgentId id;
  AgentType type;
  AgentStatus status = AgentStatus::idle;
  int capacity = 1;  // attempts at once
  int running = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::vector<std::string> current_tasks;  // "workflow/task", at most the 100 that began first
  Timestamp last_heartbeat{};
  std::string breaker = "closed";  // closed, open, half_open
  friend bool operator==(const AgentState&, const AgentState&) = default;
};

}  // namespace conductorai
