// startup: the command line as a process of its own: `version`, a workflow of one command.

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "bench/measurement.hpp"

extern char** environ;

namespace conductorai::bench {
namespace {

std::filesystem::path beside_us(const char* program) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
}

/// Exit code of the program, its output thrown away; -1 when it could not be started.
int run_program(std::vector<std::string> argv) {
  std::vector<char*> raw;
  for (auto& argument : argv) raw.push_back(argument.data());
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", 1, 0);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, argv[0].c_str(), &actions, nullptr, raw.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed != 0 || ::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

Measurement repeated(std::string variant, int times, const std::vector<std::string>& argv) {
  Measurement out{.work = "startup", .variant = std::move(variant), .n = times};
  std::vector<double> latencies;
  const Stopwatch watch;
  for (int i = 0; i < times; ++i) {
    const Stopwatch one;
    if (run_program(argv) != 0) ++out.errors;
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
