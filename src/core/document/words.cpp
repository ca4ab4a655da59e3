#include "core/document/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

namespace conductorai::core::document {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array kDurations{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array kSizes{Unit{"", 1},
                            Unit{"B", 1},
                            Unit{"KiB", std::int64_t{1} << 10},
                            Unit{"MiB", std::int64_t{1} << 20},
                            Unit{"GiB", std::int64_t{1} << 30},
                            Unit{"TiB", std::int64_t{1} << 40}};
constexpr double kTenYearsMs = 10.0 * 366 * 24 * 3'600'000;

std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units, double max) {
  if (text.empty() || text.size() > 32 || text.front() < '0' || text.front() > '9') return std::nullopt;
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
  if (error != std::errc{} || end[-1] == '.') return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    const double value = amount * static_cast<double>(known.factor);
    if (value > max || value != std::floor(value)) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  return std::nullopt;
}

/// Letters added, left out, replaced, or two that changed places.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({above[j] + (a[i] == b[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1});
      const bool swapped = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
      if (swapped) row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
    }
    before = std::exchange(above, row);
  }
  return above.back();
}

/// Case, '-' and '_' are the commonest slips: they do not count.
std::string plain(std::string_view word) {
  std::string out;
  for (const char c : word)
    if (c != '-' && c != '_' && c != ' ') out += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

std::optional<Milliseconds> parse_duration(std::string_view text) {
  const auto value = parse_with_unit(text, kDurations, kTenYearsMs);
  if (!value) return std::nullopt;
  return Milliseconds(*value);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizes, 0x1p62);
}

std::string format_duration(Milliseconds duration) {
  const auto ms = duration.count();
  if (ms == 0) return "0s";
  if (ms % kDurations[4].factor == 0 && ms > kDurations[4].factor) return fmt::format("{}d", ms / kDurations[4].factor);
  for (const Unit& unit : {kDurations[3], kDurations[2], kDurations[1]})
    if (ms % unit.factor == 0) return fmt::format("{}{}", ms / unit.factor, unit.name);
  return fmt::format("{}ms", ms);
}

std::string format_size(std::int64_t bytes) {
  for (const Unit& unit : {kSizes[5], kSizes[4], kSizes[3], kSizes[2]})
    if (bytes >= unit.factor && bytes % unit.factor == 0) return fmt::format("{}{}", bytes / unit.factor, unit.name);
  return fmt::format("{} bytes", bytes);
}

std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > 64) return std::nullopt;
  const std::string wanted = plain(word);
  const std::string* best = nullptr;
  std::size_t best_distance = wanted.size() < 4 ? 2 : wanted.size() / 3 + 2;  // exclusive
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, plain(candidate));
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best_distance = distance;
    best = &candidate;
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  if (const auto near = closest(word, candidates)) return "did you mean '" + *near + "'?";
  if (candidates.empty()) return {};
  return fmt::format("known: {}", fmt::join(candidates, ", "));
}

std::string quote(std::string_view text) {
  std::string out = "'";
  std::size_t shown = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (++shown > 60 && (byte & 0xC0) != 0x80) return out + "…'";
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (byte < 0x20 || byte == 0x7F)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + "'";
}

}  // namespace conductorai::core::document
