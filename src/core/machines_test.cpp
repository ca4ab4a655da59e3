// The transition tables, pair by pair.

#include <gtest/gtest.h>

#include <set>

#include "core/task_machine.hpp"
#include "core/workflow_machine.hpp"

namespace conductorai::core {
namespace {

const std::vector<TaskMachine> kTaskForms{task_state::Waiting{},  task_state::AwaitingApproval{}, task_state::Live{},
                                          task_state::Expanded{}, task_state::Completed{},        task_state::Failed{},
                                          task_state::Skipped{},  task_state::Cancelled{}};
const std::vector<WorkflowMachine> kWorkflowForms{workflow_state::Pending{},    workflow_state::InProgress{}, workflow_state::Paused{},
                                                  workflow_state::Cancelling{}, workflow_state::CleaningUp{}, workflow_state::Completed{},
                                                  workflow_state::Failed{},     workflow_state::Cancelled{}};

TEST(TaskMachine, FormsStandInTheOrderOfTheVariant) {
  ASSERT_EQ(kTaskForms.size(), std::variant_size_v<TaskMachine>);
  for (std::size_t i = 0; i < kTaskForms.size(); ++i) EXPECT_EQ(static_cast<std::size_t>(form_of(kTaskForms[i])), i);
  EXPECT_EQ(form_of(TaskMachine(task_state::Cancelled{})), TaskForm::cancelled);
}

TEST(TaskMachine, EachPairHasOneAnswerOrNone) {
  std::set<std::pair<TaskForm, TaskInput>> pairs;
  for (const TaskEdge& edge : task_edges())
    EXPECT_TRUE(pairs.insert({edge.from, edge.input}).second) << to_string(edge.from) << " " << to_string(edge.input);
  for (const TaskMachine& machine : kTaskForms)
    for (int input = 0; input <= static_cast<int>(TaskInput::cancel); ++input)
      EXPECT_EQ(next_form(machine, static_cast<TaskInput>(input)).has_value(),
                pairs.contains({form_of(machine), static_cast<TaskInput>(input)}));
}

TEST(TaskMachine, WhatHasEndedLeavesOnlyByANewRound) {
  for (const TaskEdge& edge : task_edges()) {
    const bool ended = edge.from == TaskForm::completed || edge.from == TaskForm::failed || edge.from == TaskForm::skipped ||
                       edge.from == TaskForm::cancelled;
    if (ended) EXPECT_TRUE(edge.input == TaskInput::reset || edge.input == TaskInput::reopen) << to_string(edge.from);
  }
}

TEST(WorkflowMachine, FormsStandInTheOrderOfTheVariant) {
  ASSERT_EQ(kWorkflowForms.size(), std::variant_size_v<WorkflowMachine>);
  for (std::size_t i = 0; i < kWorkflowForms.size(); ++i) EXPECT_EQ(static_cast<std::size_t>(form_of(kWorkflowForms[i])), i);
}

TEST(WorkflowMachine, CompletedAndCancelledAreFinalAndFailedIsReopenedByHandOnly) {
  for (const WorkflowEdge& edge : workflow_edges()) {
    EXPECT_NE(edge.from, WorkflowForm::completed);
    EXPECT_NE(edge.from, WorkflowForm::cancelled);
    if (edge.from == WorkflowForm::failed) EXPECT_EQ(edge.input, WorkflowInput::reopen);
    if (edge.from == WorkflowForm::pending) EXPECT_EQ(edge.input, WorkflowInput::start);
  }
}

}  // namespace
}  // namespace conductorai::core
