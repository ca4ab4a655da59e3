#include <sqlite3.h>

#include <memory>
#include <string>

#include "agents/development/fixture_checks.hpp"

namespace conductorai::agents {
namespace {

constexpr int kProgressSteps = 10'000;
constexpr int kProgressCalls = 500;  // 5 million steps, some 100 ms

struct Closer {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// The text comes from a model: no other file, no setting of the library, no extension.
int authorize(void*, int action, const char*, const char* second, const char*, const char*) {
  if (action == SQLITE_ATTACH || action == SQLITE_DETACH || action == SQLITE_PRAGMA) return SQLITE_DENY;
  if (action == SQLITE_FUNCTION && second != nullptr && std::string_view(second) == "load_extension") return SQLITE_DENY;
  return SQLITE_OK;
}

int count_down(void* left) {
  return --*static_cast<int*>(left) < 0 ? 1 : 0;
}

std::string run_all(sqlite3* database, std::string_view sql) {
  const char* at = sql.data();
  const char* const end = sql.data() + sql.size();
  while (at < end) {
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(database, at, static_cast<int>(end - at), &prepared, &rest) != SQLITE_OK) return sqlite3_errmsg(database);
    const std::unique_ptr<sqlite3_stmt, Closer> statement(prepared);
    at = rest;
    if (statement == nullptr) continue;  // a comment, white space
    int stepped = SQLITE_ROW;
    while (stepped == SQLITE_ROW) stepped = sqlite3_step(statement.get());
    if (stepped == SQLITE_INTERRUPT) return "it takes too long";
    if (stepped != SQLITE_DONE) return sqlite3_errmsg(database);
  }
  return {};
}

}  // namespace

std::string check_sql(std::string_view sql) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  const std::unique_ptr<sqlite3, Closer> database(opened);
  if (code != SQLITE_OK) return "SQLite does not open a database in memory";
  sqlite3_exec(opened, "PRAGMA max_page_count=16384", nullptr, nullptr, nullptr);  // 64 MiB
  sqlite3_exec(opened, "PRAGMA temp_store=MEMORY", nullptr, nullptr, nullptr);
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, 16 << 20);
  sqlite3_limit(opened, SQLITE_LIMIT_ATTACHED, 0);
  int left = kProgressCalls;
  sqlite3_progress_handler(opened, kProgressSteps, count_down, &left);
  sqlite3_set_authorizer(opened, authorize, nullptr);
  return run_all(opened, sql);
}

}  // namespace conductorai::agents
