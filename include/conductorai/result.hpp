#pragma once
// Result<T>: how every expected failure travels. Exceptions of libraries are converted at the adapter's edge.

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace conductorai {

/// What went wrong, coarse enough to decide on: exit codes, retries and HTTP statuses are derived from it.
enum class ErrorCode {
  invalid_argument,    // the caller's text, flags, ids or files
  not_found,           // no such workflow, task, artifact, file
  already_exists,      //
  conflict,            // expected sequence, epoch, state or merge did not match
  fenced,              // another owner has taken over: stop acting
  permission_denied,   // policy or protected path
  unavailable,         // a service or tool is missing or does not answer
  resource_exhausted,  // disk full, limits of the machine
  budget_exhausted,    // a budget scope would be overrun: the workflow pauses
  rate_limited,        // the other side asks to slow down
  timeout,             // a deadline passed
  cancelled,           // the scope was cancelled
  invalid_answer,      // a model or peer answered something unusable
  unsupported,         // known, but not in this build or mode
  data_corrupted,      // stored bytes do not match their digest or format
  internal,            // a defect of ours
};

/// Stable snake_case name of a code, as it stands in journals and JSON output.
std::string_view to_string(ErrorCode code);
std::optional<ErrorCode> error_code_from_string(std::string_view name);

/// Whether trying the same thing again can help, and how soon.
enum class Retry { never, backoff, after };

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // what, one sentence, no trailing full stop
  std::string where;    // file:line:column, id, path or URL; empty when the message says it
  std::string hint;     // what the user can do; empty when there is nothing
  Retry retry = Retry::never;
  std::chrono::milliseconds retry_after{0};  // with Retry::after
  std::shared_ptr<const Error> cause;

  friend bool operator==(const Error& a, const Error& b) {
    return a.code == b.code && a.message == b.message && a.where == b.where && a.hint == b.hint && a.retry == b.retry &&
           a.retry_after == b.retry_after;
  }
};

/// "WHAT (WHERE)", followed by ": cause" where there is one.
std::string to_string(const Error& error);

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::not_found, "no such workflow", id);`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string where = {}, std::string hint = {}) {
  return std::unexpected(Error{.code = code,
                               .message = std::move(message),
                               .where = std::move(where),
                               .hint = std::move(hint),
                               .retry = Retry::never,
                               .retry_after = {},
                               .cause = nullptr});
}

/// Passes an error on: `if (!r) return fail(r.error());`
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace conductorai
