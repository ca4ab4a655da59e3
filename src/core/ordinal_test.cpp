#include "core/ordinal.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace conductorai::core {
namespace {

TEST(Ordinals, StandInProgramOrder) {
  const std::vector<std::string_view> order{"2", "3", "3f1", "3f2", "3.0", "3.0f1", "3.1", "3.10", "10", "10f1", "11"};
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = 0; j < order.size(); ++j) EXPECT_EQ(ordinal_before(order[i], order[j]), i < j) << order[i] << " " << order[j];
}

}  // namespace
}  // namespace conductorai::core
