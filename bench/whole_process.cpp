// startup: the command line as a process of its own (`version`, a workflow of one command), and one command in the sandbox.

#include <fstream>

#include "bench/measurement.hpp"
#include "bench/programs.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/sandbox/sandboxes.hpp"
#include "runtime/scope.hpp"

namespace conductorai::bench {
namespace {

constexpr int kCommands = 100;

Measurement repeated(std::string variant, int times, const std::function<bool()>& succeeds) {
  Measurement out{.work = "startup", .variant = std::move(variant), .n = times};
  std::vector<double> latencies;
  const Stopwatch watch;
  for (int i = 0; i < times; ++i) {
    const Stopwatch one;
    if (!succeeds()) ++out.errors;
    latencies.push_back(one.seconds() * 1e3);
  }
  watch.end(out, std::move(latencies));
  return out;
}

std::function<bool()> program(std::vector<std::string> argv) {
  return [argv = std::move(argv)] { return wait_for(start_program(argv)) == 0; };
}

/// As an attempt runs its commands: one sandbox for all, its own process already started.
Measurement sandboxed(const std::filesystem::path& state, const std::vector<std::string>& argv) {
  runtime::Loop loop;
  const auto area = infrastructure::work_area(state);
  const std::filesystem::path workspace = area.root / ("bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(workspace);
  const bool given = infrastructure::give_to(area, workspace).has_value();
  const auto sandbox = infrastructure::make_bubblewrap_sandbox(loop, {.state_dir = state, .helper = beside_us("conductorai")});
  const auto run = [&] {
    SandboxCommand command;
    command.argv = argv;
    command.workspace = workspace;
    auto result = runtime::run_to_end(loop, sandbox->run(std::move(command)));
    return given && result && result->ok();
  };
  (void)run();
  Measurement out = repeated("command, sandboxed", kCommands, run);
  std::filesystem::remove_all(workspace);
  return out;
}

}  // namespace

int run_startup(const Settings& settings) {
  WorkFolder folder;
  const std::string file = folder.path() / "one.yaml";
  std::ofstream(file) << "name: one\ntasks:\n  only: { agent: command, with: { run: \"true\" } }\n";
  const std::string state = folder.path() / "state";
  int errors = 0;
  const std::string conductorai = beside_us("conductorai");
  const std::vector<std::string> command{"/bin/sh", "-c", "true"};
  const Measurement bare = repeated("bare process", 50, program({"/bin/true"}));
  const Measurement version = repeated("version", 50, program({conductorai, "version"}));
  const Measurement one = repeated("one task", 20, program({conductorai, "run", file, "--state-dir", state}));
  const Measurement unboxed =
      repeated("one task, no sandbox", 20, program({conductorai, "run", file, "--state-dir", state, "--sandbox=none"}));
  const Measurement bare_command = repeated("command, bare", kCommands, program(command));
  const Measurement boxed_command = sandboxed(state, command);
  for (const Measurement* measured : {&bare, &version, &one, &unboxed, &bare_command, &boxed_command}) {
    print(*measured, settings.json);
    errors += static_cast<int>(measured->errors);
  }
  print_ratio("version, ms over a bare process", version.p50_ms - bare.p50_ms, "at most 20", settings.json);
  print_ratio("one task as a whole process, ms", one.p50_ms, "at most 60", settings.json);
  print_ratio("sandboxed command over the bare one, ms", boxed_command.p50_ms - bare_command.p50_ms, "at most 8", settings.json);
  return errors;
}

}  // namespace conductorai::bench
