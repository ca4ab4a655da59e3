// chain: workflows of seven no-op tasks. fanout: one workflow of many tasks, side by side and in a row.

#include <sqlite3.h>

#include <cstdio>

#include "bench/bare_limits.hpp"
#include "bench/noop_work.hpp"

namespace conductorai::bench {
namespace {

constexpr int kRowsOfAChain = 8;
constexpr int kBatch = 64;
constexpr int kAlone = 50;
constexpr int kAlonePairs = 9;
// Counts are the same on every machine: one that grows is an error, whoever measures.
constexpr double kAllocationsMax = 900;

std::int64_t journal_rows(const std::filesystem::path& folder) {
  sqlite3* db = nullptr;
  sqlite3_stmt* count = nullptr;
  std::int64_t rows = -1;
  if (sqlite3_open((folder / "state" / "state.db").c_str(), &db) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "SELECT count(*) FROM journal", -1, &count, nullptr) == SQLITE_OK && sqlite3_step(count) == SQLITE_ROW)
    rows = sqlite3_column_int64(count, 0);
  sqlite3_finalize(count);
  sqlite3_close(db);
  return rows;
}

/// Zero where each workflow has its rows and no more allocations than it may have; else what is wrong goes to stderr.
int check_counts(const std::filesystem::path& folder, const Measurement& ours, bool memory) {
  int wrong = 0;
  const double each = static_cast<double>(ours.allocations) / static_cast<double>(ours.n);
  if (each > kAllocationsMax) {
    std::fprintf(stderr, "conductorai-bench: error: %.0f allocations a workflow, at most %.0f were expected\n", each, kAllocationsMax);
    ++wrong;
  }
  if (const std::int64_t rows = memory ? 0 : journal_rows(folder); !memory && rows != ours.n * kRowsOfAChain) {
    std::fprintf(stderr, "conductorai-bench: error: %lld rows were journaled, expected %lld\n", static_cast<long long>(rows),
                 static_cast<long long>(ours.n * kRowsOfAChain));
    ++wrong;
  }
  return wrong;
}

std::int64_t database_bytes(const std::filesystem::path& folder) {
  sqlite3* db = nullptr;
  const auto file = folder / "state" / "state.db";
  if (sqlite3_open(file.c_str(), &db) == SQLITE_OK) sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

Measurement chain(const std::filesystem::path& folder, const Settings& settings, int workflows, int in_flight) {
  BenchHouse bench(folder, settings.state, std::max(in_flight, 64) * kChainTasks);
  Measurement out{.work = "chain", .variant = settings.state, .n = workflows, .in_flight = in_flight};
  std::vector<double> latencies;
  const Stopwatch watch;
  out.errors = run_all(bench, chain_of_seven(), workflows, in_flight, latencies);
  watch.end(out, std::move(latencies));
  return out;
}

Measurement one_workflow(const WorkflowDefinition& definition, const Settings& settings, std::string variant) {
  WorkFolder folder;
  BenchHouse bench(folder.path(), settings.state, 20'000);
  const auto tasks = static_cast<std::int64_t>(definition.tasks.size());
  Measurement out{.work = "fanout", .variant = std::move(variant), .n = tasks};
  std::vector<double> latencies;
  const Stopwatch watch;
  out.errors = run_all(bench, definition, 1, 1, latencies);
  watch.end(out);
  return out;
}

/// One workflow at a time. A disk beside which others work is never the same for long, so the pairs are short.
int run_alone(const Settings& settings) {
  WorkFolder folder;
  std::vector<double> ratios;
  int errors = 0;
  for (int pair = 0; pair < kAlonePairs; ++pair) {
    const Measurement alone = chain(folder.path(), settings, kAlone, 1);
    const Measurement commits = bare_commits(folder.path(), kAlone * kRowsOfAChain);
    print(alone, settings.json);
    print(commits, settings.json);
    errors += static_cast<int>(alone.errors);
    ratios.push_back(alone.wall_s / commits.wall_s);
  }
  print_ratio("one workflow alone over 8 single commits", median(ratios), "at most 2", settings.json);
  return errors;
}

}  // namespace

int run_chain(const Settings& settings) {
  const bool memory = settings.state == "memory";
  const int workflows = settings.workflows > 0 ? settings.workflows : memory ? 20'000 : 5'000;
  std::vector<double> ratios;
  int errors = 0;
  for (int pair = 0; pair < settings.pairs; ++pair) {
    WorkFolder folder;
    const Measurement ours = chain(folder.path(), settings, workflows, settings.in_flight);
    const Measurement bare =
        memory ? bare_hops(workflows, settings.in_flight) : bare_appends(folder.path(), std::int64_t{workflows} * kRowsOfAChain, kBatch);
    print(ours, settings.json);
    print(bare, settings.json);
    errors += static_cast<int>(ours.errors) + check_counts(folder.path(), ours, memory);
    ratios.push_back(ours.per_s() / (memory ? bare.per_s() : bare.per_s() / kRowsOfAChain));
    if (!memory) {
      const double payload = static_cast<double>(workflows) * kChainTasks * 1024;
      print_ratio("database bytes over payload", static_cast<double>(database_bytes(folder.path())) / payload, "at most 1.6",
                  settings.json);
    }
  }
  print_ratio(memory ? "workflows over bare hops" : "workflows over (bare FULL rows / 8)", median(ratios),
              memory ? "at least 0.15, aim 0.33" : "at least 0.45, aim 0.8", settings.json);
  if (memory) return errors;
  return errors + run_alone(settings);
}

int run_fanout(const Settings& settings) {
  const int wide = settings.workflows > 0 ? settings.workflows : 10'000;
  int errors = 0;
  for (const bool row : {true, false}) {
    WorkFolder folder;
    BenchHouse bench(folder.path(), settings.state, 20'000);
    std::vector<double> latencies;
    Measurement small{.work = "fanout", .variant = row ? "10 in a row" : "10 wide", .n = 0};
    const WorkflowDefinition ten = row ? long_chain(10) : fan_of(10);
    const Stopwatch watch;
    small.errors = run_all(bench, ten, 100, 1, latencies);
    small.n = 100 * static_cast<std::int64_t>(ten.tasks.size());
    watch.end(small);
    const Measurement large =
        one_workflow(row ? long_chain(wide) : fan_of(wide), settings, std::to_string(wide) + (row ? " in a row" : " wide"));
    print(small, settings.json);
    print(large, settings.json);
    print_ratio(std::string("a task of the large one over a task of ten, ") + (row ? "in a row" : "wide"), small.per_s() / large.per_s(),
                "at most 2", settings.json);
    errors += static_cast<int>(small.errors + large.errors);
  }
  return errors;
}

}  // namespace conductorai::bench
