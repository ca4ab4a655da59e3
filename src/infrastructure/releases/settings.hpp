#pragma once
// What a deploying task may set for its app under `with`, all optional, with the defaults below.

#include <string>
#include <string_view>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/time.hpp"
#include "conductorai/value.hpp"

namespace conductorai::infrastructure::releases {

struct Settings {
  Milliseconds drain{10'000};                      // drain: how long the old release may finish what it has begun
  Milliseconds grace{5'000};                       // stop-timeout: from SIGTERM to SIGKILL
  int restarts_max = 5;                            // restarts: within the window, before it is given up
  Milliseconds restart_window{600'000};            // restart-window
  Milliseconds backoff{200};                       // restart-backoff: doubled from death to death
  Milliseconds backoff_max{10'000};                //
  std::int64_t log_bytes = std::int64_t{4} << 20;  // log-bytes: of one file of the log
  int log_files = 4;                               // log-files
};

/// The text of `key`; empty where there is none.
std::string text_in(const Object& with, std::string_view key);

/// The names of host variables that are handed through to the user's own programs.
std::vector<std::string> host_names(const Object& with);

/// Errors: invalid_argument (no duration or number, or out of range).
Result<Settings> read_settings(const Object& with);

}  // namespace conductorai::infrastructure::releases
