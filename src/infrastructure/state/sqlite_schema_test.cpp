// State databases of older versions, as they were written: tests/golden/state-v1 and, on top of it, state-v2.

#include "infrastructure/state/sqlite_schema.hpp"

#include <iterator>

#include "core/codec.hpp"
#include "infrastructure/state/sqlite_state_fixture.hpp"
#include "infrastructure/state/state_test_child.hpp"

namespace conductorai::infrastructure::test {
namespace {

class SqliteMigration : public SqliteState {
 protected:
  void write_version(int version) const {
    Connection db(dir / "state.db");
    for (int step = 1; step <= version; ++step) {
      std::ifstream in(std::filesystem::path(CONDUCTORAI_GOLDEN) / ("state-v" + std::to_string(step)) / "state.sql");
      const std::string sql((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      db.script(sql.c_str());
    }
    db.script("PRAGMA journal_mode = WAL");
  }
  void write_version_1() const { write_version(1); }
  [[nodiscard]] std::int64_t version() const { return Connection(dir / "state.db").number("PRAGMA user_version"); }
  [[nodiscard]] std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const WorkflowSummary& summary : run(states->list({})).value()) found.push_back(summary.name);
    return found;
  }
};

const std::vector<std::string> kNames{"killed", "asks", "broken", "done"};

TEST_F(SqliteMigration, AStateOfVersion1IsBroughtUpToDateWithAllThatItHolds) {
  write_version_1();
  ASSERT_EQ(version(), 1);
  open();
  EXPECT_EQ(version(), 3);
  EXPECT_EQ(names(), kNames);
  const auto done = run(states->list({.name = "done"})).value().at(0);
  EXPECT_EQ(done.status, WorkflowStatus::completed);
  const auto rows = run(states->load(done.id, 1, 0)).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[2].first_seq + rows[2].count - 1, done.last_seq);
  EXPECT_EQ(run(states->list_steps(done.id)).value().size(), 2U);
  EXPECT_EQ(run(states->budget_use("workflow/" + done.id.value)).value().spent.wall_ms, 32);
  EXPECT_TRUE(run(states->remove_workflow(done.id)));
  EXPECT_EQ(run(states->removals()).value(), std::vector{done.id});
  close();
  open();  // no second time
  EXPECT_EQ(names(), (std::vector<std::string>{"killed", "asks", "broken"}));
}

TEST_F(SqliteMigration, RowsOfVersion2StayAsTheyAreAndLaterOnesFollowThem) {
  write_version(2);
  open();
  EXPECT_EQ(version(), 3);
  const auto killed = run(states->list({.name = "killed"})).value().at(0);
  const auto owned = run(states->claim(killed.id, "me"));
  ASSERT_TRUE(owned);
  const core::RowHeader header{
      .workflow = killed.id, .first_seq = killed.last_seq + 1, .at = Timestamp(Milliseconds(5)), .epoch = owned->epoch};
  JournalRow row{killed.id, header.first_seq, 1, header.at, header.epoch, core::encode_row(header, {WorkflowResumed{}})};
  ASSERT_TRUE(run(states->append({.row = row, .summary = killed, .consumed_commands = {}})));
  const auto rows = run(states->load(killed.id, 1, 0)).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[2], row);
  for (const auto& each : rows) EXPECT_TRUE(core::decode_row(each.body)) << each.body;
  EXPECT_EQ(Connection(dir / "state.db").number("SELECT count(*) FROM journal WHERE body LIKE '{\"workflow%'"), 9) << "those of before";
}

TEST_F(SqliteMigration, WithoutRoomForItTheStateIsRefusedAndAsItWas) {
  write_version_1();
  {
    // Room for the index of the log, which is 32 KiB, and for one page in the log.
    const FileLimit limit(32'800);
    const Error error = refused(dir);
    EXPECT_EQ(error.code, ErrorCode::resource_exhausted) << to_string(error);
    EXPECT_NE(error.message.find("from format 1 to 3 and is as it was"), std::string::npos) << error.message;
    EXPECT_NE(error.hint, "");
  }
  EXPECT_EQ(version(), 1);
  open();
  EXPECT_EQ(version(), 3);
  EXPECT_EQ(names(), kNames);
}

TEST_F(SqliteMigration, ManyProcessesMayComeAtOnce) {
  write_version_1();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 6; ++i) children.push_back(std::make_unique<Child>("open", dir));
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
  open();
  EXPECT_EQ(names(), kNames);
}

TEST_F(SqliteMigration, AProcessOfTheVersionBeforeGoesOn) {
  write_version_1();
  Connection older(dir / "state.db");
  older.run("INSERT INTO commands (workflow, body) VALUES ('wf-x', 'before')");
  open();
  older.run("INSERT INTO commands (workflow, body) VALUES ('wf-x', 'after')");
  older.run(
      "INSERT INTO workflows (id, name, status, phase, round, reason, created_at, updated_at, owner, owner_lock, epoch, last_seq) "
      "VALUES ('wf-x', 'x', 'PENDING', 'DEVELOPMENT', 1, '', 0, 0, '', '', 1, 1)");
  EXPECT_EQ(run(states->commands(WorkflowId("wf-x"))).value().size(), 2U);
  EXPECT_TRUE(run(states->get(WorkflowId("wf-x"))));
}

}  // namespace
}  // namespace conductorai::infrastructure::test
