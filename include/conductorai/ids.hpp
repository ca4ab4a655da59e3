#pragma once
// Strong ids: never bare strings in a signature.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace conductorai {

template <class Tag>
struct Id {
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}

  [[nodiscard]] bool empty() const { return value.empty(); }
  [[nodiscard]] const std::string& str() const { return value; }
  friend auto operator<=>(const Id&, const Id&) = default;
};

using WorkflowId = Id<struct WorkflowTag>;  // "wf-" + 26 characters of Crockford base32 (ULID)
using TaskId = Id<struct TaskTag>;          // unique in its workflow; foreach children are "id[0]"
using AgentId = Id<struct AgentTag>;        // "coding-01"
using AgentType = Id<struct AgentTypeTag>;  // "coding", "test_data", …
using ApprovalId = Id<struct ApprovalTag>;  // unique in its workflow
using Digest = Id<struct DigestTag>;        // "sha256:" + 64 hex digits: names immutable bytes

/// One try at a task: idempotency key, fencing token and log tag in one.
struct AttemptId {
  WorkflowId workflow;
  TaskId task;
  int round = 1;
  int attempt = 1;
  friend auto operator<=>(const AttemptId&, const AttemptId&) = default;
};

/// One recorded outside call inside an attempt. Ordinals are in program order: "3", or "3.0", "3.1" for parallel calls.
struct StepId {
  AttemptId attempt;
  std::string ordinal;
  friend auto operator<=>(const StepId&, const StepId&) = default;
};

/// "task/round/attempt", the form used in logs and messages.
std::string to_string(const AttemptId& id);

}  // namespace conductorai

template <class Tag>
struct std::hash<conductorai::Id<Tag>> {
  std::size_t operator()(const conductorai::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
