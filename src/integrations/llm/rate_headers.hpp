#pragma once
// What services say of their own limits in the headers of an answer.

#include <optional>

#include "integrations/llm/wire/api_error.hpp"

namespace conductorai::integrations {

/// One limit as a service counts it now.
struct ToldLimit {
  std::int64_t left = 0;
  std::int64_t limit = 0;    // 0: not said
  Milliseconds resets_in{};  // until it is whole again
};
struct ToldLimits {
  std::optional<ToldLimit> requests, tokens;
  std::optional<Milliseconds> pause;  // nothing more until then
};

/// `x-ratelimit-*` (OpenAI: "6m0s", "20ms"), `anthropic-ratelimit-*` (a date), and `retry-after` with 429 and 5xx. Names in lower case.
/// Dates are held against the service's own `date`, without it against `ours`. What makes no sense is left out.
ToldLimits told_limits(int status, const WireHeaders& headers, Timestamp ours);

/// "1h2m3.5s", "20ms", or plain seconds.
std::optional<Milliseconds> told_duration(std::string_view text);

}  // namespace conductorai::integrations
