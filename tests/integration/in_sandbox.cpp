#include "tests/integration/in_sandbox.hpp"

#include "infrastructure/process/work_area.hpp"

namespace conductorai::testing {
namespace {

task<Result<CommandOutcome>> run_in(Sandbox& sandbox, FakeTaskContext& context, infrastructure::WorkArea area, CommandRequest request) {
  (void)infrastructure::give_to(area, context.files.root());
  for (const auto& mount : request.mounts) (void)infrastructure::give_to(area, mount.host);
  SandboxCommand command{.argv = request.shell.empty() ? request.argv : std::vector<std::string>{"/bin/sh", "-c", request.shell},
                         .workspace = context.files.root(),
                         .working_subdirectory = {},
                         .environment = request.environment,
                         .mounts = request.mounts,
                         .limits = context.definition.sandbox,
                         .network = request.network,
                         .stdin_text = {},
                         .on_output = {}};
  auto result = co_await sandbox.run(std::move(command));
  if (!result) co_return fail(result.error());
  CommandOutcome outcome{.result = std::move(*result), .collected = {}, .artifacts = {}};
  for (const auto& path : request.collect)
    if (std::filesystem::is_regular_file(path)) outcome.collected[path] = read_file(path);
  co_return outcome;
}

}  // namespace

InSandbox::InSandbox(runtime::Loop& loop)
    : sandbox_(infrastructure::make_bubblewrap_sandbox(
          loop, {.state_dir = state_.path(), .helper = CONDUCTORAI_SANDBOX_EXEC, .bubblewrap = {}})) {
  (void)infrastructure::make_work_area(state_.path());
}

void InSandbox::take(FakeTaskContext& context) {
  context.runner = [this, &context](CommandRequest request) {
    return run_in(*sandbox_, context, infrastructure::work_area(state_.path()), std::move(request));
  };
}

}  // namespace conductorai::testing
