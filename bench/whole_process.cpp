// startup: the command line as a process of its own: `version`, a workflow of one command.

#include <fstream>

#include "bench/measurement.hpp"
#include "bench/programs.hpp"

namespace conductorai::bench {
namespace {

Measurement repeated(std::string variant, int times, const std::vector<std::string>& argv) {
  Measurement out{.work = "startup", .variant = std::move(variant), .n = times};
  std::vector<double> latencies;
  const Stopwatch watch;
  for (int i = 0; i < times; ++i) {
    const Stopwatch one;
    if (wait_for(start_program(argv)) != 0) ++out.errors;
    latencies.push_back(one.seconds() * 1e3);
  }
  watch.end(out, std::move(latencies));
  return out;
}

}  // namespace

int run_startup(const Settings& settings) {
  const std::string program = beside_us("conductorai");
  WorkFolder folder;
  const std::string file = folder.path() / "one.yaml";
  std::ofstream(file) << "name: one\ntasks:\n  only: { agent: command, with: { run: \"true\" } }\n";
  const std::string state = folder.path() / "state";
  int errors = 0;
  const Measurement bare = repeated("bare process", 50, {"/bin/true"});
  const Measurement version = repeated("version", 50, {program, "version"});
  const Measurement one = repeated("one task", 20, {program, "run", file, "--state-dir", state});
  const Measurement unboxed = repeated("one task, no sandbox", 20, {program, "run", file, "--state-dir", state, "--sandbox=none"});
  for (const Measurement* measured : {&bare, &version, &one, &unboxed}) {
    print(*measured, settings.json);
    errors += static_cast<int>(measured->errors);
  }
  print_ratio("version, ms over a bare process", version.p50_ms - bare.p50_ms, "at most 20", settings.json);
  print_ratio("one task as a whole process, ms", one.p50_ms, "at most 60", settings.json);
  print_ratio("sandboxed command over the bare one, ms", one.p50_ms - unboxed.p50_ms, "at most 8", settings.json);
  return errors;
}

}  // namespace conductorai::bench
