// Removing workflows from the database: killed in between, beside others, and what the disk gets back.

#include <sys/wait.h>

#include "infrastructure/state/sqlite_connection.hpp"
#include "infrastructure/state/sqlite_state_fixture.hpp"
#include "infrastructure/state/state_test_child.hpp"

namespace conductorai::infrastructure::test {
namespace {

class SqliteRetention : public SqliteState {
 protected:
  /// One that has ended and was released, with a step that nobody learnt the end of.
  void ended(const std::string& id, std::size_t bytes = 100) {
    EXPECT_TRUE(run(states->append(row(id, 1, 1, bytes))));
    EXPECT_TRUE(run(states->begin_step(step(id, 1))));
    auto last = row(id, 2);
    last.summary.status = WorkflowStatus::completed;
    EXPECT_TRUE(run(states->append(last)));
    EXPECT_TRUE(run(states->release(WorkflowId(id))));
  }
  void many_ended(int count) {
    for (int i = 0; i < count; ++i) ended("wf-" + std::to_string(i), 50'000);
  }
  void remove_many(int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(run(states->remove_workflow(WorkflowId("wf-" + std::to_string(i)))));
  }
};

TEST_F(SqliteRetention, KilledWhileItRemovesItLeavesTheWorkflowWholeOrGone) {
  for (const std::string point : {"removal.before_commit", "removal.after_commit"}) {
    SCOPED_TRACE(point);
    open();
    ended("wf-a");
    close();
    const auto mark = dir / "reached";
    Child child("remove", dir, {{"CONDUCTORAI_CRASH_AT", point}, {"CONDUCTORAI_CRASH_MARK", mark}});
    const int status = child.wait();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    EXPECT_TRUE(std::filesystem::remove(mark));
    open();
    const bool whole = point == "removal.before_commit";
    EXPECT_EQ(run(states->get(WorkflowId("wf-a"))).has_value(), whole);
    EXPECT_EQ(run(states->load(WorkflowId("wf-a"), 1, 0)).value().size(), whole ? 2U : 0U);
    EXPECT_EQ(run(states->list_steps(WorkflowId("wf-a"))).value().size(), whole ? 1U : 0U);
    EXPECT_EQ(run(states->budget_use("workflow/wf-a")).value().reserved.calls, whole ? 1 : 0);
    EXPECT_EQ(run(states->removals()).value().size(), whole ? 0U : 1U);
    EXPECT_EQ(run(states->remove_workflow(WorkflowId("wf-a"))).has_value(), whole) << "a second one finishes";
    EXPECT_EQ(run(states->removals()).value(), std::vector{WorkflowId("wf-a")});
    close();
    for (const auto& entry : std::filesystem::directory_iterator(dir)) std::filesystem::remove_all(entry);
  }
}

TEST_F(SqliteRetention, GivesTheSpaceBackWhileAnotherProcessWrites) {
  open();
  many_ended(80);
  remove_many(80);
  Child writer("write", dir);
  while (lines("acknowledged") < 20) ::usleep(1'000);
  auto given = run(states->compact());
  ASSERT_TRUE(given) << to_string(given.error());
  EXPECT_GT(*given, 0) << "of 4 MB that were removed, into which the other one writes";
  EXPECT_EQ(Connection(dir / "state.db").number("PRAGMA freelist_count"), 0);
  const auto written = lines("acknowledged");
  while (lines("acknowledged") < written + 20) ::usleep(1'000);
}

TEST_F(SqliteRetention, AFileOfAnOlderBuildIsWrittenAnewOnceNobodyElseWorks) {
  open();
  close();
  Connection(dir / "state.db").script("PRAGMA auto_vacuum = NONE; VACUUM");
  open();
  many_ended(40);
  close();
  const auto before = std::filesystem::file_size(dir / "state.db");
  open();
  {
    Child holder("hold", dir);
    wait_for_file("holding");
    remove_many(40);
    EXPECT_TRUE(run(states->compact()));
    EXPECT_GE(std::filesystem::file_size(dir / "state.db"), before) << "its pages are for later rows";
  }
  auto given = run(states->compact());
  ASSERT_TRUE(given) << to_string(given.error());
  EXPECT_LT(std::filesystem::file_size(dir / "state.db"), before / 2);
  EXPECT_TRUE(run(states->append(row("wf-later", 1))));
}

}  // namespace
}  // namespace conductorai::infrastructure::test
