#include "infrastructure/state/sqlite_schema.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace conductorai::infrastructure {

namespace {

constexpr std::int64_t kApplication = 0x436f6e41;  // "ConA"

// Version 1; docs/formats/state-db.md says what each column means.
constexpr const char* kTables = R"(
PRAGMA application_id = 1131376193;
PRAGMA user_version = 1;
CREATE TABLE workflows (
  no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, status TEXT NOT NULL, phase TEXT NOT NULL, round INTEGER NOT NULL,
  reason TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, owner TEXT NOT NULL, owner_lock TEXT NOT NULL,
  epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL);
CREATE INDEX workflows_newest ON workflows (created_at, id);
CREATE TABLE journal (
  no INTEGER PRIMARY KEY, workflow INTEGER NOT NULL, first_seq INTEGER NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL,
  epoch INTEGER NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX journal_order ON journal (workflow, first_seq);
CREATE TABLE steps (
  no INTEGER PRIMARY KEY, workflow TEXT NOT NULL, task TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal TEXT NOT NULL,
  set_aside INTEGER NOT NULL, tries INTEGER NOT NULL, kind TEXT NOT NULL, request_digest TEXT NOT NULL, status TEXT NOT NULL,
  epoch INTEGER NOT NULL, scopes TEXT NOT NULL,
  reserved_usd_micros INTEGER NOT NULL, reserved_tokens INTEGER NOT NULL, reserved_calls INTEGER NOT NULL, reserved_wall_ms INTEGER NOT NULL,
  calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_calls INTEGER NOT NULL,
  unknown_calls INTEGER NOT NULL, usd_micros INTEGER NOT NULL, wall_ms INTEGER NOT NULL, response TEXT NOT NULL, tree TEXT NOT NULL);
CREATE INDEX steps_by_id ON steps (workflow, task, round, attempt, ordinal);
CREATE TABLE earlier_tries (
  step INTEGER NOT NULL, number INTEGER NOT NULL, scopes TEXT NOT NULL, usd_micros INTEGER NOT NULL, tokens INTEGER NOT NULL,
  calls INTEGER NOT NULL, wall_ms INTEGER NOT NULL, settled INTEGER NOT NULL, PRIMARY KEY (step, number)) WITHOUT ROWID;
CREATE TABLE budgets (
  scope TEXT PRIMARY KEY, spent_usd_micros INTEGER NOT NULL, spent_tokens INTEGER NOT NULL, spent_calls INTEGER NOT NULL,
  spent_wall_ms INTEGER NOT NULL, reserved_usd_micros INTEGER NOT NULL, reserved_tokens INTEGER NOT NULL, reserved_calls INTEGER NOT NULL,
  reserved_wall_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE commands (id INTEGER PRIMARY KEY AUTOINCREMENT, workflow TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX commands_of ON commands (workflow);
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, workflow TEXT NOT NULL,
  at INTEGER NOT NULL);
CREATE TABLE agents (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
)";

// Each leads from one version to the next. It only adds (tables, indexes, columns with a default): a process of the version before that has
// the file open goes on with its workflows.
void remember_removals(Connection& db) {
  db.script("CREATE TABLE removals (workflow TEXT PRIMARY KEY) WITHOUT ROWID");
}

/// Rows that are written from now on leave out what their columns say (sqlite_journal.cpp); those that are there stay as they are.
void shorten_rows(Connection&) {}

constexpr std::array kMigrations{&remember_removals, &shorten_rows};  // the first one leads to version 2
constexpr std::int64_t kVersion = 1 + static_cast<std::int64_t>(kMigrations.size());

[[noreturn]] void refuse(ErrorCode code, std::string message, const std::filesystem::path& where, std::string hint) {
  throw SqliteFailure(fail(code, std::move(message), where, std::move(hint)).error());
}

/// Held while tables are made or changed: turning the WAL on is the one thing SQLite does not queue for.
class SetupLock {
 public:
  explicit SetupLock(const std::filesystem::path& state_dir)
      : fd_(::open((state_dir / "setup.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
    if (fd_ >= 0) ::fcntl(fd_, F_OFD_SETLKW, &whole);
  }
  SetupLock(const SetupLock&) = delete;
  SetupLock& operator=(const SetupLock&) = delete;
  ~SetupLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  int fd_;
};

void make_directory(const std::filesystem::path& state_dir, bool create) {
  if (!create && !std::filesystem::exists(state_dir / "state.db"))
    refuse(ErrorCode::not_found, "there is no state here", state_dir,
           "start a workflow with `conductorai run`, or name another --state-dir");
  std::error_code error;
  std::filesystem::create_directories(state_dir / "owners", error);
  if (!error) std::filesystem::create_directories(state_dir / "wake", error);
  if (!error) return;
  const bool denied = error == std::errc::permission_denied || error == std::errc::read_only_file_system;
  const bool full = error == std::errc::no_space_on_device;
  refuse(denied ? ErrorCode::permission_denied
         : full ? ErrorCode::resource_exhausted
                : ErrorCode::unavailable,
         "the state directory cannot be made: " + error.message(), state_dir, "choose another one with --state-dir");
}

/// True when the tables are there in the version this build writes. Read in one transaction: another process may be making them.
bool current(Connection& db, const std::filesystem::path& file) {
  db.script("BEGIN");
  const std::int64_t application = db.number("PRAGMA application_id");
  const std::int64_t version = db.number("PRAGMA user_version");
  const bool empty = version == 0 && db.number("SELECT count(*) FROM sqlite_master") == 0;
  db.script("COMMIT");
  if (application != kApplication && !empty)
    refuse(ErrorCode::data_corrupted, "this is a database, but not one of ConductorAI", file,
           "choose another state directory with --state-dir");
  if (version > kVersion)
    refuse(ErrorCode::unsupported,
           "the state was written by a newer version (its format is " + std::to_string(version) + ", this build knows " +
               std::to_string(kVersion) + ")",
           file, "use a newer conductorai, or another state directory with --state-dir");
  if (version < kVersion) return false;
  Query mode = db.query("PRAGMA journal_mode");
  return mode.next() && mode.text(0) == "wal";
}

/// From whatever version it has, in one transaction. A new file comes the same way: version 1, then every step.
void bring_up_to_date(Connection& db) {
  db.script("BEGIN IMMEDIATE");
  std::int64_t version = db.number("PRAGMA user_version");
  const std::int64_t before = version;
  try {
    if (version == 0) db.script(kTables), version = 1;
    for (; version < kVersion; ++version) kMigrations.at(static_cast<std::size_t>(version - 1))(db);
    if (before < kVersion) db.script(("PRAGMA user_version = " + std::to_string(kVersion)).c_str());
    db.script("COMMIT");
  } catch (SqliteFailure& failure) {
    db.rollback();
    if (before > 0)
      failure.error.message = "the state could not be brought from format " + std::to_string(before) + " to " + std::to_string(kVersion) +
                              " and is as it was: " + failure.error.message;
    throw;
  }
}

void make_tables(Connection& db, const std::filesystem::path& file) {
  // Rows of 1 to 2 KB fill larger pages better. Only a new file takes the size, and can give back pages one by one.
  db.script("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
  bring_up_to_date(db);
  if (!current(db, file)) refuse(ErrorCode::unavailable, "the file system cannot hold a write-ahead log", file, "use a local disk");
}

}  // namespace

std::unique_ptr<Connection> open_state(const std::filesystem::path& state_dir, std::int64_t busy_timeout_ms, bool create) {
  make_directory(state_dir, create);
  const auto file = state_dir / "state.db";
  auto db = std::make_unique<Connection>(file);
  if (db->read_only())
    refuse(ErrorCode::permission_denied, "the state database cannot be written", file,
           "make it writable, or choose another with --state-dir");
  db->script(("PRAGMA busy_timeout = " + std::to_string(busy_timeout_ms)).c_str());
  db->script("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384");
  if (!current(*db, file)) {
    SetupLock lock(state_dir);
    make_tables(*db, file);
  }
  return db;
}

}  // namespace conductorai::infrastructure
