#include "conductorai/models.hpp"

#include "conductorai/llm_provider.hpp"
#include "conductorai/policy.hpp"
#include "conductorai/release_manager.hpp"
#include "conductorai/sandbox.hpp"
#include "conductorai/state_manager.hpp"

namespace conductorai {

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::development: return "DEVELOPMENT";
    case Phase::devops: return "DEVOPS";
    case Phase::monitoring: return "MONITORING";
  }
  return "DEVELOPMENT";
}

std::string_view to_string(WorkflowStatus status) {
  switch (status) {
    case WorkflowStatus::pending: return "PENDING";
    case WorkflowStatus::in_progress: return "IN_PROGRESS";
    case WorkflowStatus::paused: return "PAUSED";
    case WorkflowStatus::completed: return "COMPLETED";
    case WorkflowStatus::failed: return "FAILED";
    case WorkflowStatus::cancelled: return "CANCELLED";
  }
  return "PENDING";
}

std::string_view to_string(TaskStatus status) {
  switch (status) {
    case TaskStatus::pending: return "PENDING";
    case TaskStatus::in_progress: return "IN_PROGRESS";
    case TaskStatus::paused: return "PAUSED";
    case TaskStatus::completed: return "COMPLETED";
    case TaskStatus::failed: return "FAILED";
    case TaskStatus::cancelled: return "CANCELLED";
    case TaskStatus::blocked: return "BLOCKED";
    case TaskStatus::skipped: return "SKIPPED";
  }
  return "PENDING";
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: return "none";
    case Verdict::passed: return "passed";
    case Verdict::failed: return "failed";
  }
  return "none";
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
    case Severity::critical: return "critical";
  }
  return "error";
}

std::string_view to_string(AgentStatus status) {
  switch (status) {
    case AgentStatus::idle: return "idle";
    case AgentStatus::busy: return "busy";
    case AgentStatus::draining: return "draining";
    case AgentStatus::offline: return "offline";
  }
  return "offline";
}

std::string_view to_string(StepStatus status) {
  switch (status) {
    case StepStatus::sent: return "sent";
    case StepStatus::answered: return "answered";
    case StepStatus::failed: return "failed";
    case StepStatus::unknown: return "unknown";
  }
  return "unknown";
}

std::string_view to_string(PolicyVerdict verdict) {
  switch (verdict) {
    case PolicyVerdict::allow: return "allow";
    case PolicyVerdict::wait: return "wait";
    case PolicyVerdict::needs_approval: return "needs_approval";
    case PolicyVerdict::deny: return "deny";
  }
  return "";
}

std::string_view to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop: return "stop";
    case FinishReason::length: return "length";
    case FinishReason::tool_calls: return "tool_calls";
    case FinishReason::content_filter: return "content_filter";
    case FinishReason::refusal: return "refusal";
  }
  return "stop";
}

task<Result<LLMResponse>> BaseLLMProvider::generate(LLMCaller caller, std::string prompt) {
  return generate_with_system(std::move(caller), {}, std::move(prompt));
}

task<Result<LLMResponse>> BaseLLMProvider::generate_with_system(LLMCaller caller, std::string system, std::string prompt) {
  LLMRequest request;
  request.caller = std::move(caller);
  if (!system.empty()) request.messages.push_back({.role = Role::system, .text = std::move(system), .tool_calls = {}, .tool_call_id = {}});
  request.messages.push_back({.role = Role::user, .text = std::move(prompt), .tool_calls = {}, .tool_call_id = {}});
  return chat(std::move(request));
}

std::string_view to_string(ReleaseState state) {
  switch (state) {
    case ReleaseState::candidate: return "candidate";
    case ReleaseState::serving: return "serving";
    case ReleaseState::degraded: return "degraded";
    case ReleaseState::previous: return "previous";
    case ReleaseState::stopped: return "stopped";
    case ReleaseState::failed: return "failed";
  }
  return "failed";
}

std::string CapturedOutput::text() const {
  if (tail.empty()) return head;
  const auto left_out = total_bytes - static_cast<std::int64_t>(head.size()) - static_cast<std::int64_t>(tail.size());
  return head + "\n… " + std::to_string(left_out) + " bytes left out …\n" + tail;
}

std::string CommandResult::describe() const {
  if (exceeded) return "stopped: " + *exceeded + " limit";
  if (signal != 0) return "killed by signal " + std::to_string(signal);
  return "exit code " + std::to_string(exit_code);
}

}  // namespace conductorai
