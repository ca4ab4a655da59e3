// waiting: many tasks that wait one second at one agent, beside a bare client that waits for as many answers.

#include "bench/bare_waiting.hpp"
#include "bench/noop_work.hpp"

namespace conductorai::bench {

int run_waiting(const Settings& settings) {
  const int tasks = settings.workflows > 0 ? settings.workflows : 10'000;
  const Measurement bare = bare_epoll_client(tasks);
  WorkFolder folder;
  BenchHouse bench(folder.path(), settings.state, tasks, Milliseconds(1'000));
  Measurement ours{.work = "waiting", .variant = settings.state, .n = tasks, .in_flight = tasks};
  std::vector<double> latencies;
  const WorkflowDefinition one = long_chain(1);
  ours.errors = run_all(bench, one, 1, 1, latencies);
  const std::int64_t before = resident_bytes();
  const Stopwatch watch;
  ours.errors += run_all(bench, one, tasks, tasks, latencies);
  watch.end(ours, std::move(latencies));
  print(ours, settings.json);
  print(bare, settings.json);
  print_ratio("wall over the bare client", ours.wall_s / bare.wall_s, "at most 1.25", settings.json);
  print_ratio("KB a waiting task", static_cast<double>(ours.peak_rss_bytes - before) / tasks / 1024, "at most 8", settings.json);
  return static_cast<int>(ours.errors + bare.errors);
}

}  // namespace conductorai::bench
