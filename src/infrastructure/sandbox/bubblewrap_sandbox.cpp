#include <unistd.h>

#include "infrastructure/process/lookup.hpp"
#include "infrastructure/sandbox/bubblewrap_args.hpp"
#include "infrastructure/sandbox/bubblewrap_run.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

class BubblewrapSandbox final : public Sandbox {
 public:
  BubblewrapSandbox(runtime::Loop& loop, SandboxOptions options)
      : grounds_{loop, options, work_area(options.state_dir)}, warden_(loop, options.helper) {}

  task<Result<CommandResult>> run(SandboxCommand command) override;
  [[nodiscard]] fs::path workspace_path(const fs::path& /*host*/) const override { return kWorkspaceInside; }
  [[nodiscard]] std::string_view name() const override { return "bubblewrap"; }

 private:
  Result<std::string> find_bubblewrap() const;
  Result<void> make_etc();
  std::unique_ptr<Cgroup> make_cgroup(const SandboxDefinition& limits, std::int64_t number);
  Grounds grounds_;
  Warden warden_;
  EtcFolder etc_;
};

Result<std::string> BubblewrapSandbox::find_bubblewrap() const {
  const std::string name = grounds_.options.bubblewrap.empty() ? "bwrap" : grounds_.options.bubblewrap.string();
  auto found = find_program(name, {{"PATH", "/usr/bin:/bin:/usr/local/bin"}});
  if (found) return found;
  return fail(ErrorCode::unavailable, "cannot isolate generated code: bubblewrap is missing", {},
              "apt-get install bubblewrap, or --sandbox=none to run it without isolation");
}

std::unique_ptr<Cgroup> BubblewrapSandbox::make_cgroup(const SandboxDefinition& limits, std::int64_t number) {
  if (!grounds_.options.cgroups) return nullptr;
  return make_run_cgroup("conductorai-" + std::to_string(::getpid()) + "-" + std::to_string(number),
                         {limits.memory_bytes, task_cap(limits)});
}

/// In the work area, where the sandbox's user can come.
Result<void> BubblewrapSandbox::make_etc() {
  if (!etc_.path().empty()) return {};
  if (auto area = make_work_area(grounds_.options.state_dir); !area) return fail(area.error());
  auto made = EtcFolder::make(grounds_.area.root);
  if (!made) return fail(made.error());
  etc_ = std::move(*made);
  return {};
}

task<Result<CommandResult>> BubblewrapSandbox::run(SandboxCommand command) {
  const TaskEnvironment environment = co_await current_environment();
  if (environment.cancelled()) co_return fail(ErrorCode::cancelled, "cancelled");
  if (command.argv.empty()) co_return fail(ErrorCode::invalid_argument, "no program given");
  auto bubblewrap = find_bubblewrap();
  if (!bubblewrap) co_return fail(bubblewrap.error());
  auto folder = grounds_.output_folder();
  if (!folder) co_return fail(folder.error());
  if (auto made = make_etc(); !made) co_return fail(made.error());
  const std::int64_t number = next_run();
  BubblewrapRun run(grounds_, warden_, command, *folder, number, make_cgroup(command.limits, number));
  co_return co_await run.perform(std::move(command), *bubblewrap, etc_);
}

}  // namespace

std::unique_ptr<Sandbox> make_bubblewrap_sandbox(runtime::Loop& loop, SandboxOptions options) {
  return std::make_unique<BubblewrapSandbox>(loop, std::move(options));
}

}  // namespace conductorai::infrastructure
