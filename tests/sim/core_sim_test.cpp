#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/sim/core_world.hpp"

namespace conductorai::core {
namespace {

std::uint64_t number_of(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string story_of(const World& world) {
  std::string out;
  for (std::size_t i = 0; i < world.rows().size(); ++i)
    out += std::to_string(i + 1) + ": " + world.log()[i] + "\n    " + world.rows()[i] + "\n";
  return out;
}

TEST(CoreSim, InvariantsHoldForEverySeed) {
  Coverage coverage;
  if (std::getenv("SIM_SEED") != nullptr) {
    World world(number_of("SIM_SEED", 0), coverage);
    EXPECT_EQ(world.run(), "") << story_of(world);
    return;
  }
  const std::uint64_t seeds = number_of("SIM_SEEDS", 10'000);
  std::size_t rows = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    World world(seed, coverage);
    const std::string error = world.run();
    rows += world.rows().size();
    ASSERT_EQ(error, "") << "run it alone: SIM_SEED=" << seed;
  }
  std::cout << seeds << " seeds, " << rows << " rows\n";
  if (seeds < 5'000) return;
  for (const TaskEdge& edge : task_edges()) {
    const bool leaves = edge.input == TaskInput::reset || edge.input == TaskInput::reopen;
    if (edge.from == edge.to) continue;
    // A reset task may start again within the same event.
    EXPECT_TRUE(leaves ? coverage.reset_from.contains(edge.from) : coverage.tasks.contains({edge.from, edge.to}))
        << "never taken: " << to_string(edge.from) << " " << to_string(edge.input);
  }
  for (const WorkflowEdge& edge : workflow_edges())
    EXPECT_TRUE(coverage.workflows.contains({edge.from, edge.input}))
        << "never taken: " << static_cast<int>(edge.from) << " " << static_cast<int>(edge.input);
  EXPECT_EQ(coverage.ends.size(), 3U);
}

TEST(CoreSim, OneSeedMakesOneTrace) {
  Coverage coverage;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    World first(seed, coverage), second(seed, coverage);
    EXPECT_EQ(first.run(), second.run());
    EXPECT_EQ(first.rows(), second.rows());
  }
}

}  // namespace
}  // namespace conductorai::core
