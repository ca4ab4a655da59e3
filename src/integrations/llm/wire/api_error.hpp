#pragma once
// What services say went wrong, as our errors: which are worth another try, and after what time.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/time.hpp"
#include "conductorai/value.hpp"

namespace conductorai::integrations {

using WireHeaders = std::vector<std::pair<std::string, std::string>>;  // names in lower case

/// An answer with a status that is no success. Errors: rate_limited, unavailable, permission_denied, invalid_argument, timeout.
/// 408, 409, 429 and 5xx are worth another try unless the quota is used up or the service says `x-should-retry: false`.
Error status_error(int status, const WireHeaders& headers, std::string_view body, Timestamp now);

/// The error object in an answer of status 200 or in a stream. `partial`: some of the answer had come before, so it may have cost.
Error answer_error(const Value& body, bool partial);

/// When the answer was given by the service's own clock (`date`), by which it counts dates in its other headers; without it, `now`. So a
/// clock of ours that is wrong or jumps changes no pause.
Timestamp answered_at(const WireHeaders& headers, Timestamp now);

/// What `retry-after-ms` or `retry-after` (seconds, or a date) asks for; nothing when it is absent, past or makes no sense.
std::optional<Milliseconds> retry_after(const WireHeaders& headers, Timestamp now);

/// Removes the key, and whatever looks like one, from all texts of an error.
void hide_key(Error& error, std::string_view key);

}  // namespace conductorai::integrations
