#include "infrastructure/releases/container_engine.hpp"

#include <sstream>

#include "infrastructure/process/image_build.hpp"
#include "infrastructure/process/lookup.hpp"

namespace conductorai::infrastructure::releases {

namespace {

constexpr Milliseconds kAskTimeout{60'000};

/// Engines explain themselves in their last line.
std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

task<Result<ContainerEngine>> ContainerEngine::find(runtime::Loop& loop, std::map<std::string, std::string> environment,
                                                    std::string wanted) {
  auto given = engine_environment(environment);
  auto found = co_await find_engine(loop, given, wanted);
  if (!found) co_return fail(found.error());
  if (found->name.empty())
    co_return fail(ErrorCode::unavailable, "no container engine answers: " + found->why_not, {},
                   "install podman, or start docker's service");
  auto program = find_program(found->name, given);
  if (!program) co_return fail(program.error());
  co_return ContainerEngine(loop, found->name, *program, std::move(given));
}

ProcessSpec ContainerEngine::command(std::vector<std::string> arguments, Milliseconds timeout) const {
  ProcessSpec spec;
  spec.argv = std::move(arguments);
  spec.argv.insert(spec.argv.begin(), program_);
  spec.environment = environment_;
  spec.output_bytes_max = 1 << 20;
  spec.timeout = timeout;
  return spec;
}

task<Result<std::string>> ContainerEngine::ask(std::vector<std::string> arguments) const {
  const std::string verb = arguments.front();
  auto answered = co_await run_process(*loop_, command(std::move(arguments), kAskTimeout));
  if (!answered) co_return fail(answered.error());
  if (answered->timed_out) co_return fail(ErrorCode::unavailable, name_ + " " + verb + " does not end");
  if (!answered->ok()) co_return fail(ErrorCode::unavailable, name_ + " " + verb + " fails: " + last_line(answered->err));
  while (!answered->out.empty() && answered->out.back() == '\n') answered->out.pop_back();
  co_return std::move(answered->out);
}

task<Result<ContainerState>> ContainerEngine::state_of(std::string container) const {
  auto said =
      co_await ask({"inspect", "--type", "container", "--format",
                    "{{.State.Pid}} {{.State.Running}} {{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}", std::move(container)});
  if (!said) co_return fail(said.error());
  ContainerState state;
  std::string running;
  std::string status;
  std::string out_of_memory;
  std::istringstream words(*said);
  words >> state.process >> running >> status >> state.exit_code >> out_of_memory;
  if (!words) co_return fail(ErrorCode::unavailable, name_ + " says something unknown of a container: " + *said);
  state.running = running == "true";
  state.begun = status != "created" && status != "configured" && status != "initialized";
  state.out_of_memory = out_of_memory == "true";
  co_return state;
}

task<void> ContainerEngine::remove(std::string container) const {
  // podman's forced removal asks politely first, and waits.
  std::vector<std::string> arguments{"rm", "--force", "--volumes", std::move(container)};
  if (name_ == "podman") arguments.insert(arguments.begin() + 2, {"--time", "0"});
  (void)co_await ask(std::move(arguments));
}

}  // namespace conductorai::infrastructure::releases
