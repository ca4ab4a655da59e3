#pragma once
// WorkflowDefinition: a workflow file after loading, every default filled in. What the engine pins as an artifact and runs from.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/ids.hpp"
#include "conductorai/models.hpp"
#include "conductorai/shared.hpp"
#include "conductorai/time.hpp"
#include "conductorai/value.hpp"

namespace conductorai {

struct RetryPolicy {
  int max_attempts = 3;
  Milliseconds backoff{1'000};  // base of the exponential
  Milliseconds max_backoff{60'000};
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

struct BudgetDefinition {
  std::optional<std::int64_t> usd_micros, tokens, calls, wall_ms;
  friend bool operator==(const BudgetDefinition&, const BudgetDefinition&) = default;
};

struct TaskDefinition {
  TaskId id;
  AgentType agent;
  std::optional<Phase> phase;  // left out: see DESIGN §6
  std::vector<TaskId> needs;
  std::string condition;  // `if`: expression text without ${{ }}; empty = success()
  Object with;            // agent specific, may hold ${{ }}
  std::optional<Milliseconds> timeout;
  RetryPolicy retry;
  std::optional<Value> foreach;  // an array, or a string holding one ${{ }} expression that yields an array
  int max_parallel = 0;          // of foreach children; 0 = no own limit
  bool continue_on_error = false;
  int priority = 0;                            // higher first
  std::map<std::string, std::string> outputs;  // name -> ${{ }} text, evaluated when the task completes
  bool approval = false;                       // needs approval before it starts
  std::optional<BudgetDefinition> budget;      // its own, in all its attempts; of a foreach each child's
  friend bool operator==(const TaskDefinition&, const TaskDefinition&) = default;
};

struct WorkspaceDefinition {
  std::string repo;                          // path relative to the project root; empty: an empty repository is made
  std::string base;                          // branch, tag or commit; empty: HEAD
  std::vector<std::string> protected_paths;  // globs
  bool allow_dirty = false;
  friend bool operator==(const WorkspaceDefinition&, const WorkspaceDefinition&) = default;
};

struct ReportDefinition {
  std::string format;  // junit, tap
  std::string path;
  friend bool operator==(const ReportDefinition&, const ReportDefinition&) = default;
};

struct ToolchainDefinition {
  std::string prepare, build, test, run;  // shell commands; empty: detected from the files
  std::optional<ReportDefinition> report;
  friend bool operator==(const ToolchainDefinition&, const ToolchainDefinition&) = default;
};

enum class Network { none, prepare, full };

struct SandboxDefinition {
  bool enabled = true;  // false only by --sandbox=none
  Network network = Network::none;
  std::vector<std::string> read;  // further host paths, read-only
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  int processes = 128;
  std::int64_t disk_bytes = std::int64_t{1} << 30;
  std::int64_t output_bytes = std::int64_t{64} << 20;  // past it the rest is counted and dropped
  Milliseconds wall{600'000};
  friend bool operator==(const SandboxDefinition&, const SandboxDefinition&) = default;
};

struct GateDefinition {
  double min_success_rate = 1.0;  // of tasks that gave a verdict
  bool approval = false;
  friend bool operator==(const GateDefinition&, const GateDefinition&) = default;
};

enum class OnExhausted { fail, complete_with_warnings };

/// In force for an attempt: its workflow's budget, that of the whole project for a day (UTC), its task's own, and that of its agent's type
/// in the workflow.
struct BudgetLimits {
  BudgetDefinition workflow, day;
  Rare<BudgetDefinition> task, agent;
  friend bool operator==(const BudgetLimits&, const BudgetLimits&) = default;
};

struct PolicyDefinition {
  int max_concurrent_tasks = 4;
  int max_concurrent_per_agent = 2;
  std::vector<std::string> approvals;         // agent types or task ids that need approval before they start
  std::vector<std::string> deploy_targets;    // drivers allowed; empty: all
  std::vector<std::string> allowed_commands;  // globs over the command line of `command` tasks; empty: all
  Milliseconds approval_timeout{0};           // 0: approvals never expire
  friend bool operator==(const PolicyDefinition&, const PolicyDefinition&) = default;
};

struct LlmTarget {
  std::string provider;  // mock, record, replay, openai, anthropic
  std::string model;
  friend bool operator==(const LlmTarget&, const LlmTarget&) = default;
};

enum class ToolUse { off, on };

struct LlmDefinition {
  std::string provider;  // "mock", "mock:FILE", "replay:FILE", "record:FILE", "openai", "anthropic"; empty: not configured
  std::string model;
  int retries = 2;  // inside a call, transient errors only
  std::vector<LlmTarget> fallback;
  Digest script;                               // the scripted LLM's answers, kept as an artifact when the workflow starts
  std::optional<ToolUse> tools;                // left out: settled when a workflow starts, by who answers
  std::optional<int> tool_turns;               // answers of one attempt that call tools
  std::optional<int> tool_repeats;             // of one call with the same result, nothing new between them: then the model is stuck
  std::optional<int> follow_ups;               // to an answer that does not follow its schema
  std::optional<std::int64_t> context_tokens;  // what the model can take in, its answer counted
  std::optional<bool> batch;                   // calls can wait: they go through the provider's batch API
  static constexpr int kToolTurns = 40, kToolRepeats = 3, kFollowUps = 2;
  static constexpr std::int64_t kContextTokens = 128'000;
  friend bool operator==(const LlmDefinition&, const LlmDefinition&) = default;
};

struct WorkflowDefinition {
  std::string name;
  std::string description;
  std::string requirement;  // the text itself, whole
  Object inputs;
  std::vector<std::string> env;  // host variables handed to commands
  std::optional<Milliseconds> timeout;
  WorkspaceDefinition workspace;
  ToolchainDefinition toolchain;
  SandboxDefinition sandbox;
  std::vector<TaskDefinition> tasks;            // in file order; acyclic, ids unique, needs known
  std::map<std::string, GateDefinition> gates;  // "development", "devops", "monitoring"
  int max_rounds = 3;
  int max_loops = 3;
  OnExhausted on_exhausted = OnExhausted::fail;
  BudgetDefinition budget;
  std::map<AgentType, BudgetDefinition> agent_budgets;  // of all tasks of a type
  PolicyDefinition policies;
  LlmDefinition llm;
  friend bool operator==(const WorkflowDefinition&, const WorkflowDefinition&) = default;
};

}  // namespace conductorai
