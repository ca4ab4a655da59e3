#include "orchestration/errors/error_handler.hpp"

#include <algorithm>

namespace conductorai::orchestration {

// What becomes of a failed attempt; the first line that fits:
//
//   error                                                     | attempts left | continue-on-error | action
//   ----------------------------------------------------------+---------------+-------------------+------------
//   marked dead letter (breaker_open, poison, expired, …)     | any           | any               | DEAD_LETTER
//   cancelled fenced budget_exhausted (not the task's fault)  | any           | any               | ESCALATE
//   invalid_argument not_found permission_denied unsupported  | any           | yes               | SKIP
//   data_corrupted (the same again would fail the same way),  | any           | no                | ESCALATE
//   and what asks to be left alone for more than an hour      |               |                   |
//   any other                                                 | yes           | any               | RETRY
//   any other                                                 | no            | yes               | SKIP
//   any other                                                 | no            | no                | ESCALATE
//
// Breaker of an agent, counting only errors that speak of the agent or of what stands behind it:
//
//   state     | event                            | next
//   ----------+----------------------------------+------------------------------------------------
//   closed    | failures_to_open counted in a row | open
//   closed    | success                          | closed, the count starts afresh
//   open      | open_for has passed              | half-open
//   half-open | try_acquire                      | half-open, one probe under way, others refused
//   half-open | success                          | closed
//   half-open | counted failure                  | open again
//   half-open | any other end (cancelled, …)     | half-open, the next may probe

namespace {

constexpr std::string_view kDeadLetter = "dead-letter:";
constexpr Milliseconds kLongestWait = std::chrono::hours(1);  // that a service may ask for

enum class Kind { transient, permanent, not_the_tasks };

Kind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::permission_denied:
    case ErrorCode::unsupported:
    case ErrorCode::data_corrupted: return Kind::permanent;
    case ErrorCode::cancelled:
    case ErrorCode::fenced:
    case ErrorCode::budget_exhausted: return Kind::not_the_tasks;
    default: return Kind::transient;
  }
}

// A model's unusable answer (invalid_answer) belongs to the prompt, not to the agent's health; its provider has a breaker of its own.
bool speaks_of_the_agent(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable:
    case ErrorCode::timeout:
    case ErrorCode::rate_limited:
    case ErrorCode::resource_exhausted:
    case ErrorCode::internal: return true;
    default: return false;
  }
}

/// Full jitter: anywhere between nothing and the exponential's value, so that what failed together does not come back together.
/// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
Milliseconds backoff(const RetryPolicy& retry, int attempt, Entropy& entropy) {
  const auto longest = std::max<std::int64_t>(retry.max_backoff.count(), 0);
  auto bound = std::min(std::max<std::int64_t>(retry.backoff.count(), 0), longest);
  for (int n = 1; n < attempt && bound < longest && bound > 0; ++n) bound = bound > longest / 2 ? longest : 2 * bound;
  return Milliseconds(static_cast<std::int64_t>(entropy.next() % (static_cast<std::uint64_t>(bound) + 1)));
}

}  // namespace

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::closed: return "closed";
    case BreakerState::open: return "open";
    case BreakerState::half_open: return "half_open";
  }
  return "closed";
}

Error dead_letter_error(std::string_view reason, std::string message) {
  return {.code = ErrorCode::unavailable,
          .message = std::move(message),
          .where = std::string(kDeadLetter) + std::string(reason),
          .hint = "conductorai dlq list shows its message, dlq requeue NUMBER tries it again"};
}

std::optional<std::string> dead_letter_reason(const Error& error) {
  for (const Error* at = &error; at != nullptr; at = at->cause.get())
    if (at->where.starts_with(kDeadLetter)) return at->where.substr(kDeadLetter.size());
  return std::nullopt;
}

ErrorHandler::ErrorHandler(Clock& clock, Entropy& entropy, BreakerOptions options) : clock_(clock), entropy_(entropy), options_(options) {}

ErrorDecision ErrorHandler::handle_error(const Error& error, const ErrorContext& context) {
  if (dead_letter_reason(error)) return {.action = ErrorAction::dead_letter};
  const Kind kind = kind_of(error.code);
  if (kind == Kind::not_the_tasks) return {.action = ErrorAction::escalate};
  const bool too_long = error.retry == Retry::after && error.retry_after > kLongestWait;
  if (kind == Kind::permanent || too_long || context.attempt >= context.retry.max_attempts)
    return {.action = context.continue_on_error ? ErrorAction::skip : ErrorAction::escalate};
  Milliseconds delay = backoff(context.retry, context.attempt, entropy_);
  if (error.retry == Retry::after) delay = std::max(delay, error.retry_after);
  return {.action = ErrorAction::retry, .delay = delay};
}

void ErrorHandler::record_success(const AgentId& agent) {
  breakers_.erase(agent);
}

void ErrorHandler::record_failure(const AgentId& agent, const Error& error) {
  if (!speaks_of_the_agent(error.code)) {
    if (auto found = breakers_.find(agent); found != breakers_.end()) found->second.probing = false;
    return;
  }
  const bool half_open = breaker(agent) == BreakerState::half_open;
  Breaker& breaker = breakers_[agent];
  ++breaker.failures;
  if (breaker.state == BreakerState::open) return;  // an attempt that was under way when it opened
  if (!half_open && breaker.failures < options_.failures_to_open) return;
  breaker.state = BreakerState::open;
  breaker.opened_at = clock_.steady_now();
  breaker.probing = false;
}

BreakerState ErrorHandler::breaker(const AgentId& agent) {
  auto found = breakers_.find(agent);
  if (found == breakers_.end()) return BreakerState::closed;
  Breaker& breaker = found->second;
  if (breaker.state == BreakerState::open && clock_.steady_now() >= breaker.opened_at + options_.open_for)
    breaker.state = BreakerState::half_open;
  return breaker.state;
}

bool ErrorHandler::try_acquire(const AgentId& agent) {
  switch (breaker(agent)) {
    case BreakerState::closed: return true;
    case BreakerState::open: return false;
    case BreakerState::half_open: return !std::exchange(breakers_[agent].probing, true);
  }
  return false;
}

std::chrono::nanoseconds ErrorHandler::open_for_still(const AgentId& agent) {
  if (breaker(agent) != BreakerState::open) return {};
  return breakers_[agent].opened_at + options_.open_for - clock_.steady_now();
}

}  // namespace conductorai::orchestration
