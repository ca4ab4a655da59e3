#pragma once
// Strong ids: never bare strings in a signature.

#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
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

/// Of an id: eight bytes a step, the last eight once more where they are no whole step. For the tables that every event is looked up in.
/// Only within this process.
inline std::size_t hash_of(std::string_view id) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
  std::uint64_t hash = id.size() * kOdd;
  std::uint64_t eight = 0;
  const auto mix = [&] {
    hash = (hash ^ eight) * kOdd;
    hash ^= hash >> 29U;
  };
  for (std::size_t at = 0; at + sizeof eight < id.size(); at += sizeof eight) {
    std::memcpy(&eight, id.data() + at, sizeof eight);
    mix();
  }
  if (id.size() >= sizeof eight)
    std::memcpy(&eight, id.data() + id.size() - sizeof eight, sizeof eight);
  else
    for (const char c : id) eight = eight << 8U | static_cast<unsigned char>(c);
  mix();
  return hash;
}

}  // namespace conductorai

// Not noexcept: tables then keep each key's hash (libstdc++), and compare that before the text.
template <class Tag>
struct std::hash<conductorai::Id<Tag>> {
  std::size_t operator()(const conductorai::Id<Tag>& id) const { return conductorai::hash_of(id.value); }
};

template <>
struct std::hash<conductorai::AttemptId> {
  std::size_t operator()(const conductorai::AttemptId& id) const {
    const std::size_t workflow = std::hash<conductorai::WorkflowId>{}(id.workflow), task = std::hash<conductorai::TaskId>{}(id.task);
    return (workflow * 31 + task) * 31 + static_cast<std::size_t>(id.round) * 1009 + static_cast<std::size_t>(id.attempt);
  }
};
