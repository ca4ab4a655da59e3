// stored: workflows of seven no-op tasks where many ended ones are stored, against where few are.

#include "bench/noop_work.hpp"

namespace conductorai::bench {
namespace {

constexpr int kBusy = 640;
constexpr int kAlone = 60;

Measurement chains(const std::filesystem::path& folder, std::string variant, int workflows, int in_flight) {
  BenchHouse bench(folder, "sqlite", 64 * kChainTasks);
  Measurement out{.work = "stored", .variant = std::move(variant), .n = workflows, .in_flight = in_flight};
  std::vector<double> latencies;
  out.errors = run_all(bench, chain_of_seven(), 1, 1, latencies);  // warms the house
  latencies.clear();
  const Stopwatch watch;
  out.errors += run_all(bench, chain_of_seven(), workflows, in_flight, latencies);
  watch.end(out, std::move(latencies));
  return out;
}

/// A store with ended workflows in it; each measurement adds its own.
struct Store {
  WorkFolder folder;
  std::string name;
  std::int64_t errors = 0;

  explicit Store(int workflows) : name(std::to_string(workflows) + " stored") {
    errors = chains(folder.path(), name, workflows, 64).errors;
  }
  Measurement measure(int workflows, int in_flight, bool json) {
    const Measurement out = chains(folder.path(), name, workflows, in_flight);
    print(out, json);
    errors += out.errors;
    return out;
  }
};

}  // namespace

int run_stored(const Settings& settings) {
  const int most = settings.workflows > 0 ? settings.workflows : 20'000;
  Store few(std::max(most / 20, 1)), many(most);
  std::vector<double> busy, alone;
  for (int pair = 0; pair < settings.pairs; ++pair) {
    const Measurement busy_few = few.measure(kBusy, 64, settings.json), busy_many = many.measure(kBusy, 64, settings.json);
    busy.push_back(busy_many.wall_s / busy_few.wall_s);
    const Measurement alone_few = few.measure(kAlone, 1, settings.json), alone_many = many.measure(kAlone, 1, settings.json);
    alone.push_back(alone_many.p50_ms / alone_few.p50_ms);
  }
  print_ratio("time of a workflow, " + many.name + " over " + few.name, median(busy), "at most 1.1", settings.json);
  print_ratio("time of a lone one, " + many.name + " over " + few.name, median(alone), "at most 1.1", settings.json);
  return static_cast<int>(few.errors + many.errors);
}

}  // namespace conductorai::bench
