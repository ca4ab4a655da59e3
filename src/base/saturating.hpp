#pragma once
// Sums and products that stop at the largest number instead of overflowing. Of numbers that are not negative.

#include <cstdint>
#include <limits>

namespace conductorai {

inline constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();

[[nodiscard]] inline std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kUnbounded : product;
}

[[nodiscard]] inline std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kUnbounded : sum;
}

}  // namespace conductorai
