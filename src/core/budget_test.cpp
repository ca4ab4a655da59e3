#include "core/budget.hpp"

#include <gtest/gtest.h>

#include "core/decide.hpp"

namespace conductorai::core {
namespace {

TEST(Budgets, ARefusalTellsWhatIsUsedFromWhatIsHeld) {
  const BudgetScope scope{.key = "workflow/wf-1", .calls = 10};
  EXPECT_FALSE(budget_refusal(scope, {.spent = {.calls = 9}, .reserved = {}}, {.calls = 1}));
  const auto used_up = budget_refusal(scope, {.spent = {.calls = 10}, .reserved = {}}, {.calls = 1}).value();
  EXPECT_EQ(used_up.text, "workflow/wf-1: calls: 10 of 10 used, 1 more asked");
  EXPECT_FALSE(used_up.held);
  const auto held = budget_refusal(scope, {.spent = {.calls = 8}, .reserved = {.calls = 2}}, {.calls = 1}).value();
  EXPECT_EQ(held.text, "workflow/wf-1: calls: 8 of 10 used, 2 held for calls under way, 1 more asked");
  EXPECT_TRUE(held.held);
}

TEST(Budgets, WhatIsUsedUpRefusesBeforeWhatIsHeld) {
  const BudgetScope scope{.key = "s", .tokens = 100, .calls = 10};
  const auto refused = budget_refusal(scope, {.spent = {.tokens = 90}, .reserved = {.calls = 10}}, {.tokens = 20, .calls = 1}).value();
  EXPECT_EQ(refused.text, "s: tokens: 90 of 100 used, 20 more asked");
  EXPECT_FALSE(refused.held);
}

TEST(Budgets, OfWallTimeAnythingLeftIsEnough) {
  const BudgetScope scope{.key = "s", .wall_ms = 60'000};
  EXPECT_TRUE(budget_refusal(scope, {.spent = {.wall_ms = 50'000}, .reserved = {.wall_ms = 10'000}}, {.wall_ms = 60'000})->held);
  EXPECT_FALSE(budget_refusal(scope, {.spent = {.wall_ms = 60'000}, .reserved = {}}, {.wall_ms = 60'000})->held);
}

TEST(Budgets, OfATaskAndOfAnAgentsTypeStandBesideTheWorkflows) {
  TaskDefinition frugal{.id = TaskId("frugal"), .agent = AgentType("coding"), .budget = BudgetDefinition{.calls = 2}};
  TaskDefinition other{.id = TaskId("other"), .agent = AgentType("review")};
  WorkflowDefinition definition{.tasks = {frugal, other}, .agent_budgets = {{AgentType("coding"), {.tokens = 100}}}};
  WorkflowState state = initial_state(WorkflowId("wf-1"), std::make_shared<const WorkflowDefinition>(definition));
  EXPECT_EQ(budget_limits(state, frugal, {}),
            (BudgetLimits{.task = std::optional(BudgetDefinition{.calls = 2}), .agent = std::optional(BudgetDefinition{.tokens = 100})}));
  EXPECT_EQ(budget_limits(state, other, {}), BudgetLimits{});
  state.overrides.add_budget = {.tokens = 5, .calls = 3};
  const auto scopes = budget_scopes(budget_limits(state, frugal, {}), {.workflow = state.id, .task = frugal.id}, frugal.agent, {});
  EXPECT_EQ(scopes.at(0), (BudgetScope{.key = "workflow/wf-1"}));
  EXPECT_EQ(scopes.at(1), (BudgetScope{.key = "task/wf-1/frugal", .calls = 5}));
  EXPECT_EQ(scopes.at(2), (BudgetScope{.key = "agent/wf-1/coding", .tokens = 105}));
}

}  // namespace
}  // namespace conductorai::core
