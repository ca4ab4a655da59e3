#pragma once
// SQLite behind RAII: a connection of one thread, prepared statements kept, failures as one exception type that never leaves the adapter.

#include <concepts>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

#include "conductorai/ids.hpp"
#include "conductorai/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace conductorai::infrastructure {

struct SqliteFailure : std::exception {
  explicit SqliteFailure(Error failure) : error(std::move(failure)) {}
  [[nodiscard]] const char* what() const noexcept override { return error.message.c_str(); }
  Error error;
};

/// A statement under way; set back when it goes out of scope. One use of a statement at a time.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  /// True while there is a row. Throws SqliteFailure.
  bool next();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Connection {
 public:
  /// Throws SqliteFailure.
  explicit Connection(const std::filesystem::path& file);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// `sql` is a literal: its address is the key of the prepared statement. Texts must outlive the query.
  template <class... A>
  Query query(const char* sql, const A&... arguments) {
    sqlite3_stmt* statement = prepared(sql);
    [[maybe_unused]] int position = 0;
    (bind(statement, ++position, arguments), ...);
    return Query(statement);
  }
  template <class... A>
  void run(const char* sql, const A&... arguments) {
    query(sql, arguments...).next();
  }
  /// The first column of the first row; 0 without one.
  [[nodiscard]] std::int64_t number(const char* sql) {
    Query rows = query(sql);
    return rows.next() ? rows.integer(0) : 0;
  }
  /// Several statements without arguments.
  void script(const char* sql);

  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] bool read_only() const;
  /// Ends a transaction that failed, whether or not SQLite has ended it already.
  void rollback() noexcept;
  /// Copies what the WAL holds into the database as far as readers allow; errors wait for the next time.
  void checkpoint() noexcept;
  /// The same, waiting for readers, and cuts the log off.
  void truncate_log() noexcept;
  /// Frames in the WAL after the last commit of this connection.
  [[nodiscard]] int wal_frames() const { return wal_frames_; }

 private:
  sqlite3_stmt* prepared(const char* sql);
  static void bind(sqlite3_stmt* statement, int position, std::int64_t value);
  static void bind(sqlite3_stmt* statement, int position, std::string_view value);
  template <std::integral I>
  static void bind(sqlite3_stmt* statement, int position, I value) {
    bind(statement, position, static_cast<std::int64_t>(value));
  }
  static void bind(sqlite3_stmt* statement, int position, const std::string& value) { bind(statement, position, std::string_view(value)); }
  static void bind(sqlite3_stmt* statement, int position, const char* value) { bind(statement, position, std::string_view(value)); }
  template <class Tag>
  static void bind(sqlite3_stmt* statement, int position, const Id<Tag>& value) {
    bind(statement, position, std::string_view(value.value));
  }

  sqlite3* db_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  int wal_frames_ = 0;
};

}  // namespace conductorai::infrastructure
