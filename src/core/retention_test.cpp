#include "core/retention.hpp"

#include <gtest/gtest.h>

namespace conductorai::core {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow(1'000'000'000ms);

WorkflowSummary ended(const std::string& id, Milliseconds ago, WorkflowStatus status = WorkflowStatus::completed) {
  return {.id = WorkflowId(id), .status = status, .updated_at = kNow - ago};
}

std::string chosen(std::vector<WorkflowSummary> workflows, RetentionRule rule) {
  std::string ids;
  for (const WorkflowSummary& workflow : prunable(std::move(workflows), rule, kNow)) ids += workflow.id.value + " ";
  return ids;
}

const std::vector<WorkflowSummary> kFour{ended("d", 1s), ended("c", 10s, WorkflowStatus::failed), ended("a", 30s),
                                         ended("b", 20s, WorkflowStatus::cancelled)};

TEST(Retention, LetsGoWhatEndedLongerAgo) {
  EXPECT_EQ(chosen(kFour, {.older_than = 15s}), "a b ");
  EXPECT_EQ(chosen(kFour, {.older_than = 20s}), "a ") << "exactly as old is not older";
  EXPECT_EQ(chosen(kFour, {.older_than = 0s}), "d c a b ");
  EXPECT_EQ(chosen({ended("x", -5s)}, {.older_than = 0s}), "") << "a clock that was set back removes nothing";
}

TEST(Retention, KeepsThoseThatEndedLast) {
  EXPECT_EQ(chosen(kFour, {.keep = 1}), "c a b ");
  EXPECT_EQ(chosen(kFour, {.keep = 3}), "a ");
  EXPECT_EQ(chosen(kFour, {.keep = 9}), "");
  EXPECT_EQ(chosen(kFour, {.keep = 0}), "d c a b ");
}

TEST(Retention, LetsGoOnlyWhatBothKeysLetGo) {
  EXPECT_EQ(chosen(kFour, {.older_than = 5s, .keep = 2}), "a b ");
  EXPECT_EQ(chosen(kFour, {.older_than = 25s, .keep = 0}), "a ");
  EXPECT_EQ(chosen(kFour, {}), "") << "a rule that says nothing";
}

TEST(Retention, NeverTouchesOrCountsWhatCanGoOn) {
  for (const auto status : {WorkflowStatus::pending, WorkflowStatus::in_progress, WorkflowStatus::paused}) {
    EXPECT_EQ(chosen({ended("x", 1h, status)}, {.older_than = 0s, .keep = 0}), "");
    EXPECT_EQ(chosen({ended("x", 1s, status), ended("y", 2s)}, {.keep = 1}), "") << "y is the one that ended last";
  }
  auto owned = ended("x", 1h);
  owned.owner_alive = true;
  EXPECT_EQ(chosen({owned}, {.keep = 0}), "");
}

}  // namespace
}  // namespace conductorai::core
