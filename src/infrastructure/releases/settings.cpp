#include "infrastructure/releases/settings.hpp"

#include <charconv>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

namespace conductorai::infrastructure::releases {

namespace {

struct Range {
  std::int64_t least, most;
};

Result<void> take(const Object& with, const char* key, Range range, auto& out) {
  const auto it = with.find(key);
  if (it == with.end()) return {};
  const auto* number = it->second.as_int();
  if (number == nullptr || *number < range.least || *number > range.most)
    return fail(ErrorCode::invalid_argument,
                std::string(key) + " takes a whole number from " + std::to_string(range.least) + " to " + std::to_string(range.most));
  out = static_cast<std::remove_reference_t<decltype(out)>>(*number);
  return {};
}

/// "250ms", "10s", "5m", "2h"; at most a day.
std::optional<Milliseconds> duration(std::string_view text) {
  constexpr std::int64_t kDay = 86'400'000;
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(parsed.ptr, static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
  const std::int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : 0;
  if (parsed.ec != std::errc{} || factor == 0 || count < 0 || count > kDay / factor) return std::nullopt;
  return Milliseconds(count * factor);
}

Result<void> take(const Object& with, const char* key, Milliseconds least, Milliseconds& out) {
  const auto it = with.find(key);
  if (it == with.end()) return {};
  const auto* text = it->second.as_string();
  const auto value = text == nullptr ? std::nullopt : duration(*text);
  if (!value || *value < least)
    return fail(ErrorCode::invalid_argument, std::string(key) + " takes a duration up to a day, such as 250ms, 10s or 5m");
  out = *value;
  return {};
}

}  // namespace

std::string text_in(const Object& with, std::string_view key) {
  const auto found = with.find(key);
  const std::string* text = found == with.end() ? nullptr : found->second.as_string();
  return text == nullptr ? std::string() : *text;
}

std::vector<std::string> host_names(const Object& with) {
  std::istringstream words(text_in(with, "host-env"));
  return {std::istream_iterator<std::string>(words), {}};
}

Result<Settings> read_settings(const Object& with) {
  constexpr Milliseconds kLeast{1};
  Settings settings;
  for (const auto& taken :
       {take(with, "drain", Milliseconds(0), settings.drain), take(with, "stop-timeout", Milliseconds(0), settings.grace),
        take(with, "restarts", {0, 1'000'000}, settings.restarts_max), take(with, "restart-window", kLeast, settings.restart_window),
        take(with, "restart-backoff", kLeast, settings.backoff), take(with, "log-bytes", {4096, std::int64_t{1} << 40}, settings.log_bytes),
        take(with, "log-files", {1, 64}, settings.log_files)})
    if (!taken) return fail(taken.error());
  if (settings.backoff_max < settings.backoff) settings.backoff_max = settings.backoff;
  return settings;
}

}  // namespace conductorai::infrastructure::releases
