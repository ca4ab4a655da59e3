#pragma once
// Changing a shared value: a changed copy takes its place.

#include <utility>

#include "conductorai/shared.hpp"

namespace conductorai {

template <class T, class F>
void edit(Shared<T>& shared, F change) {
  T copy = *shared;
  change(copy);
  shared = std::move(copy);
}

}  // namespace conductorai
