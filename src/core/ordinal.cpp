#include "core/ordinal.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

namespace conductorai::core {
namespace {

/// The part of an ordinal up to the next dot, taken off `rest`.
std::pair<std::uint64_t, std::string_view> next_part(std::string_view& rest) {
  const auto dot = rest.find('.');
  const std::string_view part = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(part.data(), part.data() + part.size(), number);
  return {number, std::string_view(parsed.ptr, part.data() + part.size())};
}

}  // namespace

bool ordinal_before(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const auto left = next_part(a);
    const auto right = next_part(b);
    if (left != right) return left < right;
  }
  return a.empty() && !b.empty();
}

}  // namespace conductorai::core
