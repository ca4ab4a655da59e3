#include "core/ordinal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace conductorai::core {
namespace {

/// One level of an ordinal, taken off `rest`: a number, and whether it names a call (".2") or another model asked in its place ("f2").
std::pair<bool, std::uint64_t> next_part(std::string_view& rest) {
  const bool call = !rest.starts_with('f');
  if (rest.starts_with('.') || rest.starts_with('f')) rest.remove_prefix(1);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  rest.remove_prefix(std::max<std::size_t>(static_cast<std::size_t>(parsed.ptr - rest.data()), rest.empty() ? 0 : 1));
  return {call, number};
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
