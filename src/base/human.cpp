#include "base/human.hpp"

#include <fmt/format.h>

namespace conductorai {

std::string duration_text(std::int64_t ms) {
  if (ms < 1'000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1'000);
  if (ms < 3'600'000) return fmt::format("{} min {} s", ms / 60'000, ms / 1'000 % 60);
  return fmt::format("{} h {} min", ms / 3'600'000, ms / 60'000 % 60);
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 1'024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1'024;
  for (const char* unit : {"KiB", "MiB", "GiB"}) {
    if (amount < 1'024) return fmt::format("{:.1f} {}", amount, unit);
    amount /= 1'024;
  }
  return fmt::format("{:.1f} TiB", amount);
}

std::string count_text(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

}  // namespace conductorai
