#pragma once
// Small readings shared by files, flags and environment: units, and suggestions for misspelt words.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/time.hpp"

namespace conductorai::core::document {

/// "250ms", "10s", "5m", "2h", "1.5h", "30d"; nothing for anything else, negative or past 10 years.
std::optional<Milliseconds> parse_duration(std::string_view text);
/// "64KiB", "1GiB", "512MiB", "1048576" (bytes), "1.5GiB"; nothing for anything else or past 2^62.
std::optional<std::int64_t> parse_size(std::string_view text);
std::string format_duration(Milliseconds duration);  // "10s", "1500ms", "24h", "30d"
std::string format_size(std::int64_t bytes);         // "1GiB", "1000 bytes"

/// The candidate at the smallest edit distance, where that is small enough to be a slip of the pen.
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);
/// "did you mean 'agent'?" or, with few candidates, "known: a, b, c"; empty when neither helps.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);
/// Quoted for a message: control characters escaped, cut at 60 characters.
std::string quote(std::string_view text);

}  // namespace conductorai::core::document
