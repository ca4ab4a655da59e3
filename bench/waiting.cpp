// waiting: many tasks that wait one second at one agent, beside a bare client that waits for as many answers.

#include "bench/bare_waiting.hpp"
#include "bench/noop_work.hpp"

namespace conductorai::bench {

namespace {

/// `workflows` of them at once; the first task has warmed the house.
Measurement wait_in(const WorkflowDefinition& definition, const Settings& settings, std::string variant, int workflows, int tasks) {
  WorkFolder folder;
  BenchHouse bench(folder.path(), settings.state, tasks, Milliseconds(1'000));
  Measurement out{.work = "waiting", .variant = std::move(variant), .n = tasks, .in_flight = tasks};
  std::vector<double> latencies;
  out.errors = run_all(bench, long_chain(1), 1, 1, latencies);
  const std::int64_t before = resident_bytes();
  const Stopwatch watch;
  out.errors += run_all(bench, definition, workflows, workflows, latencies);
  watch.end(out, std::move(latencies));
  print(out, settings.json);
  print_ratio("KB a waiting task", static_cast<double>(out.peak_rss_bytes - before) / tasks / 1024, "at most 8", settings.json);
  return out;
}

}  // namespace

int run_waiting(const Settings& settings) {
  const int tasks = settings.workflows > 0 ? settings.workflows : 10'000;
  const Measurement bare = bare_epoll_client(tasks);
  print(bare, settings.json);
  // The smaller one first: the peak of a process only grows.
  const Measurement wide = wait_in(side_by_side(tasks), settings, settings.state + ", one workflow", 1, tasks);
  const Measurement each = wait_in(long_chain(1), settings, settings.state + ", a workflow each", tasks, tasks);
  print_ratio("wall over the bare client, one workflow", wide.wall_s / bare.wall_s, "at most 1.25", settings.json);
  print_ratio("wall over the bare client, a workflow each", each.wall_s / bare.wall_s, "at most 1.25", settings.json);
  return static_cast<int>(wide.errors + each.errors + bare.errors);
}

}  // namespace conductorai::bench
