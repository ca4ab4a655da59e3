#pragma once
// ErrorHandler: what to do about a failed attempt. RETRY · SKIP · ESCALATE · DEAD_LETTER, and a circuit breaker an agent.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "conductorai/clock.hpp"
#include "conductorai/definition.hpp"
#include "conductorai/events.hpp"
#include "conductorai/ids.hpp"
#include "conductorai/result.hpp"

namespace conductorai::orchestration {

struct ErrorContext {
  AgentId agent;  // empty: it never reached one
  int attempt = 1;
  RetryPolicy retry;
  bool continue_on_error = false;
};
struct ErrorDecision {
  ErrorAction action = ErrorAction::escalate;
  Milliseconds delay{0};  // with retry: exponential with full jitter, or the other side's retry_after where that is longer
};

struct BreakerOptions {
  int failures_to_open = 5;       // in a row
  Milliseconds open_for{30'000};  // then half-open: one probe
};
enum class BreakerState { closed, open, half_open };
std::string_view to_string(BreakerState state);

/// Marks an error whose attempt lies in the dead letters: `reason` is one of DeadLetter::reason (breaker_open, poison, expired,
/// undeliverable).
Error dead_letter_error(std::string_view reason, std::string message);
/// The reason of a marked error or of what caused it; none for any other.
std::optional<std::string> dead_letter_reason(const Error& error);

class ErrorHandler {
 public:
  ErrorHandler(Clock& clock, Entropy& entropy, BreakerOptions options = {});

  /// Classification: never retried are invalid_argument, not_found, permission_denied, unsupported, data_corrupted; cancelled is not an
  /// error of the task.
  [[nodiscard]] ErrorDecision handle_error(const Error& error, const ErrorContext& context);

  void record_success(const AgentId& agent);
  /// Only failures that speak of the agent or what stands behind it count, not a task's own bad input.
  void record_failure(const AgentId& agent, const Error& error);
  [[nodiscard]] BreakerState breaker(const AgentId& agent);
  /// True when an attempt may go to this agent now; in half-open only one at a time gets true until it is recorded.
  [[nodiscard]] bool try_acquire(const AgentId& agent);
  /// Until an open breaker turns half-open; zero for any other.
  [[nodiscard]] std::chrono::nanoseconds open_for_still(const AgentId& agent);

 private:
  struct Breaker {
    BreakerState state = BreakerState::closed;
    int failures = 0;
    Instant opened_at{};
    bool probing = false;
  };
  Clock& clock_;
  Entropy& entropy_;
  BreakerOptions options_;
  std::map<AgentId, Breaker> breakers_;
};

}  // namespace conductorai::orchestration
