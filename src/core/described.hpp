#pragma once
// Members of the contract's structs, for the JSON codec. A struct added to a stored or sent form gets its line here.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include "conductorai/artifact_store.hpp"
#include "conductorai/events.hpp"
#include "conductorai/llm_provider.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai {

BOOST_DESCRIBE_ENUM(ErrorCode, invalid_argument, not_found, already_exists, conflict, fenced, permission_denied, unavailable,
                    resource_exhausted, budget_exhausted, rate_limited, timeout, cancelled, invalid_answer, unsupported, data_corrupted,
                    internal)
BOOST_DESCRIBE_ENUM(Retry, never, backoff, after)
BOOST_DESCRIBE_STRUCT(Error, (), (code, message, where, hint, retry, retry_after, cause))
BOOST_DESCRIBE_STRUCT(AttemptId, (), (workflow, task, round, attempt))
BOOST_DESCRIBE_STRUCT(StepId, (), (attempt, ordinal))
BOOST_DESCRIBE_ENUM(Phase, development, devops, monitoring)
BOOST_DESCRIBE_ENUM(WorkflowStatus, pending, in_progress, paused, completed, failed, cancelled)
BOOST_DESCRIBE_ENUM(TaskStatus, pending, in_progress, paused, completed, failed, cancelled, blocked, skipped)
BOOST_DESCRIBE_ENUM(Verdict, none, passed, failed)
BOOST_DESCRIBE_ENUM(Severity, info, warning, error, critical)
BOOST_DESCRIBE_ENUM(AgentStatus, idle, busy, draining, offline)
BOOST_DESCRIBE_ENUM(ResultStatus, completed, failed, cancelled, suspended)
BOOST_DESCRIBE_STRUCT(Evidence, (), (kind, summary, value, passed, failed, skipped, artifact))
BOOST_DESCRIBE_STRUCT(Finding, (), (severity, file, line, message, source))
BOOST_DESCRIBE_STRUCT(FeedbackPayload, (), (from, target, severity, summary, findings, recommendations, affected_tasks, evidence))
BOOST_DESCRIBE_STRUCT(Usage, (), (calls, input_tokens, output_tokens, cached_calls, unknown_calls, usd_micros, wall_ms))
BOOST_DESCRIBE_STRUCT(ArtifactRef, (), (name, type, digest, size))
BOOST_DESCRIBE_STRUCT(TaskResult, (),
                      (id, agent, status, verdict, skipped, summary, outputs, evidence, artifacts, commit, feedback, error, usage,
                       duration_ms))
BOOST_DESCRIBE_STRUCT(AgentState, (), (id, type, status, capacity, running, succeeded, failed, current_tasks, last_heartbeat, breaker))
BOOST_DESCRIBE_ENUM(Network, none, prepare, full)
BOOST_DESCRIBE_ENUM(OnExhausted, fail, complete_with_warnings)
BOOST_DESCRIBE_ENUM(ToolUse, off, on)
BOOST_DESCRIBE_STRUCT(RetryPolicy, (), (max_attempts, backoff, max_backoff))
BOOST_DESCRIBE_STRUCT(TaskDefinition, (),
                      (id, agent, phase, needs, condition, with, timeout, retry, foreach, max_parallel, continue_on_error, priority,
                       outputs, approval, budget))
BOOST_DESCRIBE_STRUCT(WorkspaceDefinition, (), (repo, base, protected_paths, allow_dirty))
BOOST_DESCRIBE_STRUCT(ReportDefinition, (), (format, path))
BOOST_DESCRIBE_STRUCT(ToolchainDefinition, (), (prepare, build, test, run, report))
BOOST_DESCRIBE_STRUCT(SandboxDefinition, (), (enabled, network, read, memory_bytes, processes, disk_bytes, output_bytes, wall))
BOOST_DESCRIBE_STRUCT(GateDefinition, (), (min_success_rate, approval))
BOOST_DESCRIBE_STRUCT(BudgetDefinition, (), (usd_micros, tokens, calls, wall_ms))
BOOST_DESCRIBE_STRUCT(PolicyDefinition, (),
                      (max_concurrent_tasks, max_concurrent_per_agent, approvals, deploy_targets, allowed_commands, approval_timeout))
BOOST_DESCRIBE_STRUCT(LlmTarget, (), (provider, model))
BOOST_DESCRIBE_STRUCT(LlmDefinition, (),
                      (provider, model, retries, fallback, script, tools, tool_turns, tool_repeats, follow_ups, context_tokens, batch))
BOOST_DESCRIBE_STRUCT(WorkflowDefinition, (),
                      (name, description, requirement, inputs, env, timeout, workspace, toolchain, sandbox, tasks, gates, max_rounds,
                       max_loops, on_exhausted, budget, agent_budgets, policies, llm))
BOOST_DESCRIBE_ENUM(PauseKind, user, budget, claims, storage)
BOOST_DESCRIBE_ENUM(ErrorAction, retry, skip, escalate, dead_letter)
BOOST_DESCRIBE_ENUM(RoundKind, rework, feedback, retry)
BOOST_DESCRIBE_ENUM(ApprovalOutcome, approved, rejected, expired)
BOOST_DESCRIBE_STRUCT(RunOverrides, (), (llm, sandbox_enabled, add_budget, add_day_budget))
BOOST_DESCRIBE_STRUCT(WorkflowStarted, (), (name, definition, branch, base_commit, owner, version))
BOOST_DESCRIBE_STRUCT(WorkflowForked, (), (workflow, seq, tasks, by))
BOOST_DESCRIBE_STRUCT(WorkflowClaimed, (), (owner, in_flight))
BOOST_DESCRIBE_STRUCT(WorkflowPaused, (), (kind, reason))
BOOST_DESCRIBE_STRUCT(WorkflowResumed, (), (by, overrides))
BOOST_DESCRIBE_STRUCT(WorkflowCancelRequested, (), (by, reason, deadline))
BOOST_DESCRIBE_STRUCT(WorkflowCancelled, (), (reason))
BOOST_DESCRIBE_STRUCT(WorkflowCleanupStarted, (), (tasks, until))
BOOST_DESCRIBE_STRUCT(WorkflowCompleted, (), (warnings))
BOOST_DESCRIBE_STRUCT(WorkflowFailed, (), (reason, error))
BOOST_DESCRIBE_STRUCT(TaskCompleted, (),
                      (id, agent, verdict, summary, outputs, evidence, artifacts, commit, head, usage, duration_ms, feedback))
BOOST_DESCRIBE_STRUCT(TaskFailed, (), (id, agent, error, action, retry_at, artifacts, evidence, usage, duration_ms, findings))
BOOST_DESCRIBE_STRUCT(TaskSkipped, (), (task, round, reason, attempt))
BOOST_DESCRIBE_STRUCT(TaskExpanded, (), (task, round, items))
BOOST_DESCRIBE_STRUCT(GateDecided, (), (phase, round, passed, reasons, evidence, next_phase))
BOOST_DESCRIBE_STRUCT(RoundOpened, (), (round, kind, target, reset, feedback))
BOOST_DESCRIBE_STRUCT(ApprovalRequested, (), (approval, task, phase, round, reason, expires_at))
BOOST_DESCRIBE_STRUCT(ApprovalResolved, (), (approval, outcome, by, comment))
BOOST_DESCRIBE_ENUM(StepStatus, sent, answered, failed, unknown)
BOOST_DESCRIBE_STRUCT(WorkflowSummary, (), (id, name, status, phase, round, reason, created_at, updated_at, owner, owner_alive, last_seq))
BOOST_DESCRIBE_STRUCT(JournalRow, (), (workflow, first_seq, count, at, epoch, body))
BOOST_DESCRIBE_STRUCT(AppendRequest, (), (row, summary, consumed_commands))
BOOST_DESCRIBE_STRUCT(Ownership, (), (workflow, epoch))
BOOST_DESCRIBE_STRUCT(InboxCommand, (), (id, workflow, body))
BOOST_DESCRIBE_STRUCT(Amounts, (), (usd_micros, tokens, calls, wall_ms))
BOOST_DESCRIBE_STRUCT(BudgetScope, (), (key, usd_micros, tokens, calls, wall_ms))
BOOST_DESCRIBE_STRUCT(BudgetUse, (), (spent, reserved))
BOOST_DESCRIBE_STRUCT(StepRecord, (), (id, tries, kind, request_digest, status, reserved, usage, response, tree, set_aside, epoch))
BOOST_DESCRIBE_STRUCT(StepBegin, (), (id, kind, request_digest, worst_case, scopes, epoch, diverged))
BOOST_DESCRIBE_STRUCT(StepFinish, (), (id, try_number, status, usage, response, tree, epoch))
BOOST_DESCRIBE_STRUCT(DeadLetter, (), (id, channel, reason, message, workflow, at))
BOOST_DESCRIBE_STRUCT(WorkflowFilter, (), (statuses, name, limit, after))
BOOST_DESCRIBE_STRUCT(ArtifactRecord, (), (workflow, task, agent, round, attempt, type, name, digest, size, at))
BOOST_DESCRIBE_STRUCT(ArtifactQuery, (), (workflow, task, agent, type, name, limit))
BOOST_DESCRIBE_ENUM(Role, system, user, assistant, tool)
BOOST_DESCRIBE_ENUM(FinishReason, stop, length, tool_calls, content_filter, refusal)
BOOST_DESCRIBE_STRUCT(ToolCall, (), (id, name, arguments))
BOOST_DESCRIBE_STRUCT(ChatMessage, (), (role, text, tool_calls, tool_call_id, thinking))
BOOST_DESCRIBE_STRUCT(ToolSpec, (), (name, description, parameters_schema))
BOOST_DESCRIBE_STRUCT(LLMCaller, (), (attempt, agent_type, ordinal))
BOOST_DESCRIBE_STRUCT(LLMRequest, (), (caller, model, messages, tools, answer_schema, output_tokens_max, temperature))
BOOST_DESCRIBE_STRUCT(LLMResponse, (),
                      (text, tool_calls, files, finish, usage, model, provider, reasoning, refusal, cached_input_tokens, cache_write_tokens,
                       reasoning_tokens, thinking))

}  // namespace conductorai
