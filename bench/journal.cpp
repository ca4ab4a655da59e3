// journal: appends of 1 KB rows to the StateManager, many workflows at once.

#include <memory>

#include "bench/bare_limits.hpp"
#include "infrastructure/state/sqlite_state_manager.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::bench {
namespace {

task<void> appender(StateManager& states, WorkflowId workflow, std::int64_t& left, std::int64_t& errors) {
  for (std::uint64_t seq = 1; left > 0; ++seq) {
    --left;
    AppendRequest request{.row = {.workflow = workflow, .first_seq = seq, .count = 1, .at = {}, .epoch = 1, .body = std::string(1024, 'x')},
                          .summary = {.id = workflow, .name = "bench", .status = WorkflowStatus::in_progress, .last_seq = seq},
                          .consumed_commands = {}};
    auto appended = co_await states.append(std::move(request));
    if (!appended) ++errors;
  }
}

task<void> appenders(runtime::Loop& loop, StateManager& states, int in_flight, std::int64_t rows, std::int64_t& errors) {
  std::int64_t left = rows;
  runtime::TaskScope scope(loop);
  for (int i = 0; i < in_flight; ++i) scope.spawn(appender(states, WorkflowId("wf-" + std::to_string(i)), left, errors));
  co_await scope.join();
}

}  // namespace

int run_journal(const Settings& settings) {
  const std::int64_t rows = settings.workflows > 0 ? settings.workflows : 40'000;
  std::vector<double> ratios;
  int errors = 0;
  for (int pair = 0; pair < settings.pairs; ++pair) {
    WorkFolder folder;
    runtime::Loop loop;
    auto opened = infrastructure::SqliteStateManager::open(loop, folder.path() / "state", {.create = true});
    if (!opened) return 1;
    Measurement ours{.work = "journal", .variant = "sqlite", .n = rows, .in_flight = settings.in_flight};
    const Stopwatch watch;
    runtime::run_to_end(loop, appenders(loop, **opened, settings.in_flight, rows, ours.errors));
    watch.end(ours);
    runtime::run_to_end(loop, (*opened)->close());
    const Measurement bare = bare_appends(folder.path(), rows, settings.in_flight);
    print(ours, settings.json);
    print(bare, settings.json);
    ratios.push_back(ours.per_s() / bare.per_s());
    errors += static_cast<int>(ours.errors);
  }
  print_ratio("appends over a bare FULL group commit", median(ratios), "the nearer to 1 the better", settings.json);
  return errors;
}

}  // namespace conductorai::bench
