#include "bench/bare_limits.hpp"

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/event.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::bench {
namespace {

const std::string& row_text() {
  static const std::string text(1024, 'x');
  return text;
}

void must(int code, sqlite3* db) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  std::fprintf(stderr, "conductorai-bench: error: sqlite: %s\n", sqlite3_errmsg(db));
  std::exit(4);
}

Measurement append(const std::filesystem::path& folder, std::int64_t rows, int batch) {
  sqlite3* db = nullptr;
  const std::filesystem::path file = folder / ("bare-" + std::to_string(batch) + ".db");
  must(sqlite3_open(file.c_str(), &db), db);
  must(sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE log (no INTEGER PRIMARY KEY, body TEXT NOT NULL)",
                    nullptr, nullptr, nullptr),
       db);
  sqlite3_stmt* insert = nullptr;
  must(sqlite3_prepare_v2(db, "INSERT INTO log (body) VALUES (?)", -1, &insert, nullptr), db);
  Measurement out{.work = "journal", .variant = batch == 1 ? "bare commits" : "bare group commit", .n = rows, .in_flight = batch};
  const Stopwatch watch;
  for (std::int64_t done = 0; done < rows;) {
    must(sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), db);
    for (int i = 0; i < batch && done < rows; ++i, ++done) {
      must(sqlite3_bind_text(insert, 1, row_text().data(), static_cast<int>(row_text().size()), SQLITE_STATIC), db);
      must(sqlite3_step(insert), db);
      must(sqlite3_reset(insert), db);
    }
    must(sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr), db);
  }
  watch.end(out);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
  return out;
}

struct Hop {
  runtime::Loop& loop;
  [[nodiscard]] bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const { loop.post(handle); }
  void await_resume() const {}
};

task<std::string> hop(runtime::Loop& loop) {
  co_await Hop{loop};
  co_return row_text();
}

task<void> sketch(runtime::Loop& loop, std::int64_t& left, std::unordered_map<std::int64_t, std::vector<std::string>>& kept) {
  while (left > 0) {
    const std::int64_t name = --left;
    std::vector<std::string> results;
    for (int i = 0; i < 7; ++i) {
      auto result = co_await hop(loop);
      results.push_back(std::move(result));
    }
    kept[name] = std::move(results);
  }
}

task<void> sketches(runtime::Loop& loop, std::int64_t workflows, int in_flight) {
  std::unordered_map<std::int64_t, std::vector<std::string>> kept;
  std::int64_t left = workflows;
  runtime::TaskScope scope(loop);
  for (int i = 0; i < in_flight; ++i) scope.spawn(sketch(loop, left, kept));
  co_await scope.join();
}

struct Note {
  std::string channel;
  std::string text;
};

using Box = runtime::Mailbox<std::shared_ptr<const Note>>;

task<void> reader(Box& mailbox, std::int64_t messages, std::int64_t& bytes) {
  while (messages > 0) {
    auto notes = co_await mailbox.take();
    if (!notes) co_return;
    for (const auto& note : *notes) bytes += static_cast<std::int64_t>(note->text.size());
    messages -= static_cast<std::int64_t>(notes->size());
  }
}

task<void> writer(runtime::Loop& loop, std::unordered_map<std::string, Box*>& channels, std::int64_t messages) {
  for (std::int64_t i = 0; i < messages; ++i) {
    auto note = std::make_shared<const Note>(Note{"conductor:agent:bench", row_text()});
    channels.at(note->channel)->push(note);
    co_await Hop{loop};
  }
}

task<void> bus_sketch(runtime::Loop& loop, std::int64_t messages, std::int64_t& bytes) {
  Box mailbox;
  std::unordered_map<std::string, Box*> channels;
  channels.emplace("conductor:agent:bench", &mailbox);
  runtime::TaskScope scope(loop);
  scope.spawn(reader(mailbox, messages, bytes));
  scope.spawn(writer(loop, channels, messages));
  co_await scope.join();
}

}  // namespace

Measurement bare_appends(const std::filesystem::path& folder, std::int64_t rows, int batch) {
  return append(folder, rows, batch);
}
Measurement bare_commits(const std::filesystem::path& folder, std::int64_t rows) {
  return append(folder, rows, 1);
}

Measurement bare_hops(std::int64_t workflows, int in_flight) {
  runtime::Loop loop;
  Measurement out{.work = "chain", .variant = "bare hops", .n = workflows, .in_flight = in_flight};
  const Stopwatch watch;
  runtime::run_to_end(loop, sketches(loop, workflows, in_flight));
  watch.end(out);
  return out;
}

Measurement bare_bus(std::int64_t messages) {
  runtime::Loop loop;
  Measurement out{.work = "bus", .variant = "bare", .n = messages};
  std::int64_t bytes = 0;
  const Stopwatch watch;
  runtime::run_to_end(loop, bus_sketch(loop, messages, bytes));
  watch.end(out);
  out.errors = bytes == messages * 1024 ? 0 : 1;
  return out;
}

}  // namespace conductorai::bench
