#include "integrations/llm/rate_headers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

namespace conductorai::integrations {

namespace {

constexpr double kTimeMsMax = 1e9;

std::string_view header(const WireHeaders& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::optional<std::int64_t> count(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// "2026-01-31T12:00:00Z", with or without fractions of a second.
std::optional<Milliseconds> until_date(std::string_view text, Timestamp now) {
  std::tm date{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &date);
  if (end == nullptr || (*end != 'Z' && *end != '.' && *end != '+')) return std::nullopt;
  const auto at = Timestamp(std::chrono::duration_cast<Timestamp::duration>(std::chrono::seconds(::timegm(&date))));
  const auto wait = std::chrono::duration_cast<Milliseconds>(at - now);
  if (static_cast<double>(wait.count()) > kTimeMsMax) return std::nullopt;
  return std::max(wait, Milliseconds(0));
}

std::optional<ToldLimit> limit_of(const WireHeaders& headers, const std::string& kind, Timestamp now) {
  for (const bool anthropic : {false, true}) {
    const auto named = [&](std::string_view what) {
      std::string name = anthropic ? "anthropic-ratelimit-" : "x-ratelimit-";
      name.append(anthropic ? std::string_view(kind) : what).append("-").append(anthropic ? what : std::string_view(kind));
      return header(headers, name);
    };
    const auto left = count(named("remaining"));
    const auto resets = anthropic ? until_date(named("reset"), now) : told_duration(named("reset"));
    if (left && resets) return ToldLimit{.left = *left, .limit = count(named("limit")).value_or(0), .resets_in = *resets};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Milliseconds> told_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double ms = 0;
  while (!text.empty()) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (failed != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto unit = text.substr(0, text.find_first_of("0123456789."));
    text.remove_prefix(unit.size());
    if (unit == "ms")
      ms += value;
    else if (unit == "s" || unit.empty())
      ms += value * 1e3;
    else if (unit == "m")
      ms += value * 60e3;
    else if (unit == "h")
      ms += value * 3600e3;
    else
      return std::nullopt;
  }
  if (ms > kTimeMsMax) return std::nullopt;
  return Milliseconds(std::llround(std::ceil(ms)));
}

ToldLimits told_limits(int status, const WireHeaders& headers, Timestamp ours) {
  const Timestamp now = answered_at(headers, ours);
  ToldLimits told{.requests = limit_of(headers, "requests", now), .tokens = limit_of(headers, "tokens", now), .pause = {}};
  // Kinds that only one side counts matter once they are used up.
  for (const char* kind : {"input-tokens", "output-tokens"})
    if (auto limit = limit_of(headers, kind, now); limit && limit->left == 0)
      told.pause = std::max(told.pause.value_or(Milliseconds(0)), limit->resets_in);
  if (status == 429 || status >= 500)
    if (auto wait = retry_after(headers, now)) told.pause = std::max(told.pause.value_or(Milliseconds(0)), *wait);
  return told;
}

}  // namespace conductorai::integrations
