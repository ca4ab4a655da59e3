// State databases of older versions, as they were written: tests/golden/state-v1.

#include "infrastructure/state/sqlite_schema.hpp"

#include <iterator>

#include "infrastructure/state/sqlite_state_fixture.hpp"
#include "infrastructure/state/state_test_child.hpp"

namespace conductorai::infrastructure::test {
namespace {

class SqliteMigration : public SqliteState {
 protected:
  void write_version_1() const {
    std::ifstream in(std::filesystem::path(CONDUCTORAI_GOLDEN) / "state-v1" / "state.sql");
    const std::string sql((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    Connection db(dir / "state.db");
    db.script(sql.c_str());
    db.script("PRAGMA journal_mode = WAL");
  }
  [[nodiscard]] std::int64_t version() const {
    Connection db(dir / "state.db");
    Query query = db.query("PRAGMA user_version");
    return query.next() ? query.integer(0) : 0;
  }
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
  EXPECT_EQ(version(), 2);
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

TEST_F(SqliteMigration, WithoutRoomForItTheStateIsRefusedAndAsItWas) {
  write_version_1();
  {
    // Room for the index of the log, which is 32 KiB, and for one page in the log.
    const FileLimit limit(32'800);
    const Error error = refused(dir);
    EXPECT_EQ(error.code, ErrorCode::resource_exhausted) << to_string(error);
    EXPECT_NE(error.message.find("from format 1 to 2 and is as it was"), std::string::npos) << error.message;
    EXPECT_NE(error.hint, "");
  }
  EXPECT_EQ(version(), 1);
  open();
  EXPECT_EQ(version(), 2);
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
