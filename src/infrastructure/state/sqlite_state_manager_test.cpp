#include "infrastructure/state/sqlite_state_manager.hpp"

#include <sys/mount.h>
#include <sys/wait.h>

#include <array>
#include <map>

#include "infrastructure/state/sqlite_connection.hpp"
#include "infrastructure/state/sqlite_state_fixture.hpp"
#include "infrastructure/state/state_test_child.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::test {
namespace {

// --- opening -----------------------------------------------------------------------------------------------------------

TEST_F(SqliteState, OfANewerVersionIsRefusedNamingBoth) {
  open();
  close();
  Connection(dir / "state.db").script("PRAGMA user_version = 99");
  const Error error = refused(dir);
  EXPECT_EQ(error.code, ErrorCode::unsupported);
  EXPECT_NE(error.message.find("99"), std::string::npos);
  EXPECT_NE(error.message.find("knows 3"), std::string::npos);
}

TEST_F(SqliteState, ThatIsNoDatabaseOrAnothersIsRefusedAndLeftAlone) {
  std::ofstream(dir / "state.db") << std::string(5'000, 'x');
  EXPECT_EQ(refused(dir).code, ErrorCode::data_corrupted);
  EXPECT_EQ(std::filesystem::file_size(dir / "state.db"), 5'000U);
  std::filesystem::remove(dir / "state.db");
  Connection(dir / "state.db").script("CREATE TABLE theirs (x)");
  EXPECT_EQ(refused(dir).code, ErrorCode::data_corrupted);
}

TEST_F(SqliteState, WhereNothingCanBeMadeIsRefusedWithAHint) {
  std::ofstream(dir / "file") << "x";
  const Error error = refused(dir / "file" / "state");
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_NE(error.hint, "");
}

TEST_F(SqliteState, WhereNothingMayBeWrittenIsRefusedWithAHint) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  ::chmod(dir.c_str(), 0500);
  const Error error = refused(dir / "state");
  ::chmod(dir.c_str(), 0700);
  EXPECT_EQ(error.code, ErrorCode::permission_denied);
  EXPECT_NE(error.hint, "");
}

TEST_F(SqliteState, IsNotMadeWhenOnlyLookedFor) {
  EXPECT_EQ(refused(dir / "none", {.create = false}).code, ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(dir / "none"));
}

TEST_F(SqliteState, CanBeMadeByManyProcessesAtOnce) {
  std::array<std::unique_ptr<Child>, 6> children;
  for (auto& child : children) child = std::make_unique<Child>("open", dir / "fresh");
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
}

TEST_F(SqliteState, IsThereAfterAReopen) {
  open();
  EXPECT_TRUE(run(states->append(row("wf-a", 1))));
  close();
  open();
  EXPECT_EQ(run(states->load(WorkflowId("wf-a"), 1, 0)).value(), std::vector{row("wf-a", 1).row});
  EXPECT_TRUE(std::filesystem::is_empty(dir / "owners"));  // who closes in order leaves no lock behind
}

// --- other processes ---------------------------------------------------------------------------------------------------

TEST_F(SqliteState, IsOwnedByAStoppedProcessButNotByADeadOne) {
  Child holder("hold", dir);
  const std::string pid = std::to_string(holder.pid()) + "@";
  wait_for_file("holding");
  open();
  for (const int signal : {0, SIGSTOP}) {
    holder.signal(signal);
    auto claimed = run(states->claim(WorkflowId("wf-a"), "1@here"));
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error().code, ErrorCode::conflict);
    EXPECT_TRUE(claimed.error().where.starts_with(pid)) << claimed.error().where;
  }
  EXPECT_TRUE(run(states->get(WorkflowId("wf-a"))).value().owner_alive);
  holder.signal(SIGKILL);
  holder.wait();
  EXPECT_FALSE(run(states->get(WorkflowId("wf-a"))).value().owner_alive);
  EXPECT_EQ(run(states->claim(WorkflowId("wf-a"), "1@here")).value().epoch, 2U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir / "owners"), {}), 1);  // the dead one's lock is gone
}

TEST_F(SqliteState, WakesItsOwnerForACommandOfAnotherProcess) {
  open();
  EXPECT_TRUE(run(states->append(row("wf-a", 1))));
  int woken = 0;
  states->on_command([&] { ++woken; });
  Child poster("post", dir);
  std::size_t waiting = 0;
  while (waiting == 0) {
    loop.run_until([&] { return woken > 0; });
    woken = 0;
    waiting = run(states->commands(WorkflowId("wf-a"))).value().size();
  }
  EXPECT_EQ(poster.wait(), 0);
}

TEST_F(SqliteState, WakesItsOwnerEvenIfThePosterDiesRightAfterTheCommit) {
  open();
  EXPECT_TRUE(run(states->append(row("wf-a", 1))));
  int woken = 0;
  states->on_command([&] { ++woken; });
  Child poster("post", dir, {{"CONDUCTORAI_CRASH_AT", "inbox.after_commit"}});
  loop.run_until([&] { return woken > 0; });
  EXPECT_TRUE(WIFSIGNALED(poster.wait()));
  EXPECT_EQ(run(states->commands(WorkflowId("wf-a"))).value().size(), 1U);
}

task<void> count_changes(SqliteStateManager& watched, WorkflowId workflow, int& changes) {
  while (true) {
    auto changed = co_await watched.wait_for_change(workflow);
    if (!changed) co_return;
    ++changes;
  }
}

TEST_F(SqliteState, TellsAWatcherOfAnotherProcessesRowsAndOfItsDeath) {
  open();
  int changes = 0;
  runtime::TaskScope scope(loop);
  const auto start = [&](const std::string& workflow) { scope.spawn(count_changes(*states, WorkflowId(workflow), changes)); };
  Child writer("write", dir);
  start("wf-" + std::to_string(writer.pid()) + "-0");
  loop.run_until([&] { return changes > 3; });
  writer.signal(SIGSTOP);
  ::waitpid(writer.pid(), nullptr, WUNTRACED);                             // no more rows from here on
  for (int turn = 0; turn < 5; ++turn) (void)run(states->dead_letters());  // and what was on its way has arrived
  const int before = changes;
  writer.signal(SIGKILL);
  loop.run_until([&] { return changes > before; });
  run(states->close());  // ends the wait
  run(scope.join());
}

// --- crashes -----------------------------------------------------------------------------------------------------------

struct Stored {
  std::size_t rows = 0, steps = 0, answers = 0, commands = 0;
  friend bool operator==(const Stored&, const Stored&) = default;
};

TEST_F(SqliteState, AtEachCrashPointHoldsWhatWasCommittedAndNothingElse) {
  const std::vector<std::pair<std::string, Stored>> points{
      {"journal.before_commit", {0, 0, 0, 0}},   {"journal.after_commit", {1, 0, 0, 0}},      {"step.begin.before_commit", {1, 0, 0, 0}},
      {"step.begin.after_commit", {1, 1, 0, 0}}, {"step.finish.before_commit", {1, 1, 0, 0}}, {"step.finish.after_commit", {1, 1, 1, 0}},
      {"inbox.before_commit", {1, 1, 1, 0}},     {"inbox.after_commit", {1, 1, 1, 1}}};
  for (const auto& [point, expected] : points) {
    SCOPED_TRACE(point);
    const auto mark = dir / "reached";
    Child child("once", dir, {{"CONDUCTORAI_CRASH_AT", point}, {"CONDUCTORAI_CRASH_MARK", mark}});
    const int status = child.wait();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    EXPECT_TRUE(std::filesystem::remove(mark));
    open();
    Stored stored;
    stored.rows = run(states->load(WorkflowId("wf-a"), 1, 0)).value().size();
    for (const StepRecord& record : run(states->list_steps(WorkflowId("wf-a"))).value()) {
      ++stored.steps;
      stored.answers += record.status == StepStatus::answered ? 1 : 0;
    }
    stored.commands = run(states->commands(WorkflowId("wf-a"))).value().size();
    EXPECT_EQ(stored, expected);
    close();
    for (const auto& entry : std::filesystem::directory_iterator(dir)) std::filesystem::remove_all(entry);
  }
}

TEST_F(SqliteState, LosesNothingAcknowledgedAndLeavesNoGapWhenKilled) {
  for (int kill = 0; kill < 12; ++kill) {
    const std::size_t before = lines("acknowledged");
    Child writer("write", dir);
    while (lines("acknowledged") < before + 20 + static_cast<std::size_t>(kill)) ::usleep(500);
    writer.signal(SIGKILL);
    writer.wait();
  }
  std::map<std::string, std::size_t> acknowledged;
  std::ifstream in(dir / "acknowledged");
  for (std::string workflow; std::getline(in, workflow);) ++acknowledged[workflow];
  open();
  EXPECT_GE(acknowledged.size(), 12U);
  for (const auto& [workflow, count] : acknowledged) {
    const auto rows = run(states->load(WorkflowId(workflow), 1, 0)).value();
    EXPECT_GE(rows.size(), count);
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].first_seq, i + 1);
    EXPECT_EQ(run(states->get(WorkflowId(workflow))).value().last_seq, rows.size());
    BudgetUse expected;
    for (const StepRecord& record : run(states->list_steps(WorkflowId(workflow))).value()) {
      expected.spent.calls += record.usage.calls;
      expected.spent.tokens += record.usage.input_tokens;
      expected.reserved.calls += record.reserved.calls;
      expected.reserved.tokens += record.reserved.tokens;
    }
    EXPECT_EQ(run(states->budget_use("workflow/" + workflow)).value(), expected);
    EXPECT_LE(expected.reserved.calls, 1);
  }
}

// --- a full disk -------------------------------------------------------------------------------------------------------

task<void> append_into(SqliteStateManager& states, AppendRequest request, std::vector<Result<void>>& results) {
  auto result = co_await states.append(std::move(request));
  results.push_back(std::move(result));
}

std::vector<Result<void>> append_together(runtime::Loop& loop, SqliteStateManager& states, const std::string& prefix, int count) {
  std::vector<Result<void>> results;
  runtime::TaskScope scope(loop);
  for (int i = 0; i < count; ++i) scope.spawn(append_into(states, row(prefix + std::to_string(i), 1, 1, 20'000), results));
  runtime::run_to_end(loop, scope.join());
  return results;
}

void expect_all_refused_as_full(const std::vector<Result<void>>& results) {
  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::resource_exhausted) << to_string(result.error());
    EXPECT_NE(result.error().hint, "");
  }
}

TEST_F(SqliteState, AFailedCommitFailsEveryAppendOfItsBatchAndNoLaterOne) {
  open();
  EXPECT_TRUE(run(states->append(row("wf-a", 1))));
  {
    const FileLimit limit(std::filesystem::file_size(dir / "state.db-wal"));
    expect_all_refused_as_full(append_together(loop, *states, "wf-full-", 50));
  }
  for (const auto& result : append_together(loop, *states, "wf-later-", 50)) EXPECT_TRUE(result);
  EXPECT_EQ(run(states->list({.limit = 0})).value().size(), 51U);
  // The later ones have the numbers that the refused ones would have had.
  for (int i = 0; i < 50; ++i) EXPECT_EQ(run(states->append(row("wf-full-" + std::to_string(i), 2))).error().code, ErrorCode::conflict);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(run(states->append(row("wf-later-" + std::to_string(i), 2))));
}

TEST_F(SqliteState, GoesOnWhenThereIsRoomAgainOnARealDisk) {
  const auto disk = dir / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "no right to mount a small disk";
  {
    auto full = std::move(SqliteStateManager::open(loop, disk).value());
    EXPECT_TRUE(run(full->append(row("wf-a", 1))));
    {
      std::ofstream filler(disk / "filler");
      while (filler << std::string(4'096, 'x') << std::flush) {
      }
    }
    expect_all_refused_as_full(append_together(loop, *full, "wf-full-", 20));
    EXPECT_EQ(run(full->list({})).value().size(), 1U);
    std::filesystem::remove(disk / "filler");
    for (const auto& result : append_together(loop, *full, "wf-later-", 5)) EXPECT_TRUE(result);
    EXPECT_TRUE(run(full->append(row("wf-a", 2))));
  }
  ::umount(disk.c_str());
}

TEST_F(SqliteState, MayBeGivenALimitOfPages) {
  open({.pages_max = 60});
  bool full = false;
  for (std::uint64_t seq = 1; seq < 100 && !full; ++seq) {
    auto appended = run(states->append(row("wf-a", seq, 1, 10'000)));
    full = !appended && appended.error().code == ErrorCode::resource_exhausted;
  }
  EXPECT_TRUE(full);
}

// --- the write-ahead log -----------------------------------------------------------------------------------------------

TEST_F(SqliteState, KeepsItsLogShortUnderLoad) {
  open({.checkpoint_pages = 128});
  std::uintmax_t longest = 0;
  for (int round = 0; round < 40; ++round) {
    for (const auto& result : append_together(loop, *states, "wf-" + std::to_string(round) + "-", 20)) EXPECT_TRUE(result);
    longest = std::max(longest, std::filesystem::file_size(dir / "state.db-wal"));
  }
  EXPECT_LT(longest, std::uintmax_t{8} << 20);  // of 16 MB written
}

}  // namespace
}  // namespace conductorai::infrastructure::test
