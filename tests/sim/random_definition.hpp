#pragma once
// Chance, seeded, and definitions made from it.

#include <cstdint>
#include <vector>

#include "conductorai/definition.hpp"

namespace conductorai::core {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  std::uint64_t next();
  int below(int bound) { return static_cast<int>(next() % static_cast<std::uint64_t>(bound)); }
  bool percent(int p) { return below(100) < p; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(below(static_cast<int>(from.size())))];
  }

 private:
  std::uint64_t state_;
};

/// Any DAG of up to ten tasks, with conditions, foreach, approvals, bounds and deadlines.
WorkflowDefinition random_definition(Chance& chance);

}  // namespace conductorai::core
