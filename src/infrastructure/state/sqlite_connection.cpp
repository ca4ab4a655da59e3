#include "infrastructure/state/sqlite_connection.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace conductorai::infrastructure {

namespace {

ErrorCode code_of_errno(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return ErrorCode::resource_exhausted;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::permission_denied;
    default: return ErrorCode::unavailable;
  }
}

ErrorCode code_of(int sqlite, int number) {
  switch (sqlite & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM: return ErrorCode::resource_exhausted;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return code_of_errno(number);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return ErrorCode::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::data_corrupted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return ErrorCode::permission_denied;
    case SQLITE_TOOBIG: return ErrorCode::invalid_argument;
    default: return ErrorCode::internal;
  }
}

std::string hint_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::resource_exhausted: return "free space on the disk of the state directory";
    case ErrorCode::permission_denied: return "make the state directory writable, or choose another with --state-dir";
    case ErrorCode::data_corrupted: return "move the file away, or choose another state directory with --state-dir";
    case ErrorCode::unavailable: return "another process may be holding the state database; try again";
    default: return {};
  }
}

[[noreturn]] void raise(sqlite3* db, int sqlite) {
  const int last = errno;
  int number = db != nullptr ? sqlite3_system_errno(db) : 0;
  if (number == 0 && (sqlite & 0xff) == SQLITE_IOERR) number = last;  // a failing COMMIT does not keep it
  const ErrorCode code = code_of(sqlite, number);
  std::string message = std::string("the state database: ") + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(sqlite));
  if (number != 0 && code != ErrorCode::data_corrupted) message += std::string(": ") + std::strerror(number);
  const char* file = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
  auto failed = fail(code, std::move(message), file != nullptr ? file : "", hint_for(code));
  if (code == ErrorCode::resource_exhausted || code == ErrorCode::unavailable) failed.error().retry = Retry::backoff;
  throw SqliteFailure(std::move(failed.error()));
}

void check(sqlite3_stmt* statement, int result) {
  if (result != SQLITE_OK) raise(sqlite3_db_handle(statement), result);
}

}  // namespace

Query::~Query() {
  sqlite3_reset(statement_);
}

bool Query::next() {
  errno = 0;
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  raise(sqlite3_db_handle(statement_), result);
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Query::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data == nullptr ? std::string() : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Connection::Connection(const std::filesystem::path& file) {
  // Before SQLite's first use: statistics that nobody reads would take a lock at each allocation, of which every page is one.
  [[maybe_unused]] static const int without_statistics = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (const int result = sqlite3_open_v2(file.c_str(), &db_, flags, nullptr); result != SQLITE_OK) {
    try {
      raise(db_, result);
    } catch (...) {
      sqlite3_close_v2(db_);
      throw;
    }
  }
  // In the place of SQLite's own automatic checkpoint, which would run inside a commit.
  sqlite3_wal_hook(
      db_,
      [](void* self, sqlite3*, const char*, int frames) {
        static_cast<Connection*>(self)->wal_frames_ = frames;
        return SQLITE_OK;
      },
      this);
}

Connection::~Connection() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

void Connection::script(const char* sql) {
  if (const int result = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); result != SQLITE_OK) raise(db_, result);
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(db_);
}
std::int64_t Connection::last_insert_id() const {
  return sqlite3_last_insert_rowid(db_);
}
bool Connection::read_only() const {
  return sqlite3_db_readonly(db_, "main") == 1;
}

void Connection::rollback() noexcept {
  if (sqlite3_get_autocommit(db_) == 0) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Connection::checkpoint() noexcept {
  sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void Connection::truncate_log() noexcept {
  sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

sqlite3_stmt* Connection::prepared(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement != nullptr) return statement;
  if (const int result = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr); result != SQLITE_OK)
    raise(db_, result);
  return statement;
}

void Connection::bind(sqlite3_stmt* statement, int position, std::int64_t value) {
  check(statement, sqlite3_bind_int64(statement, position, value));
}

void Connection::bind(sqlite3_stmt* statement, int position, std::string_view value) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* data = value.data() != nullptr ? value.data() : "";
  check(statement, sqlite3_bind_text64(statement, position, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

}  // namespace conductorai::infrastructure
