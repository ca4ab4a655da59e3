// run_command: in the sandbox, a step like every other command, and only what the policies allow.

#include <algorithm>

#include "agents/base/toolchain_run.hpp"
#include "agents/tools/tools.hpp"
#include "base/printable.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::int64_t kSecondsDefault = 120;
constexpr std::int64_t kSecondsMax = 86'400;
constexpr std::size_t kCommandBytesMax = std::size_t{32} << 10;

std::string printed(const CommandResult& result) {
  std::string text = result.describe() + "\n";
  const std::string out = result.out.text(), err = result.err.text();
  if (!out.empty()) text += "stdout:\n" + out + (out.ends_with('\n') ? "" : "\n");
  if (!err.empty()) text += "stderr:\n" + err + (err.ends_with('\n') ? "" : "\n");
  return text;
}

CommandRequest request_of(const ToolSetting& setting, const Object& arguments) {
  CommandRequest request;
  request.shell = text_argument(arguments, "command");
  request.timeout = Milliseconds(1'000 * number_argument(arguments, "timeout_s", kSecondsDefault));
  request.artifact_name = setting.call_name;
  request.label = "running " + printable_line(request.shell, 60);
  // Files that only running brings forth must not get in the way of reading, and not into the commit.
  request.environment["PYTHONDONTWRITEBYTECODE"] = "1";
  return request;
}

/// The files after the command: as they were, or as it left them. Either way what git does not look at is gone, as it is after a crash.
task<Result<std::string>> settle_files(ToolSetting setting, std::string before, bool keep) {
  if (!keep) {
    auto restored = co_await setting.workspace->restore(std::move(before));
    if (!restored) co_return fail(restored.error());
    co_return std::string();
  }
  auto refused = co_await setting.workspace->protected_changes();
  if (!refused) co_return fail(refused.error());
  auto after = co_await setting.workspace->snapshot();
  if (!after) co_return fail(after.error());
  auto restored = co_await setting.workspace->restore(refused->empty() ? *after : before);
  if (!restored) co_return fail(restored.error());
  if (refused->empty()) co_return *after == before ? std::string() : std::string("its changes to the files were kept\n");
  co_return "it changed the protected path " + printable_line(refused->front(), 200) + ", so none of its changes were kept\n";
}

struct Ran {
  std::string told;  // of a fetch of dependencies that failed
  CommandOutcome outcome;
};

/// What the project's own commands need, for the model's too. Returns what the model is told where that failed.
task<Result<std::string>> prepare_dependencies(TaskContext& context, CommandRequest& request) {
  auto found = co_await find_toolchain(context);
  if (!found) co_return fail(found.error());
  if (!fetches_dependencies(found->toolchain, *context.assignment().workflow)) co_return std::string();
  auto toolchain = ToolchainRun::open(context, std::move(*found));
  if (!toolchain) co_return fail(toolchain.error());
  auto failed = co_await (*toolchain)->prepare_for(request);
  if (!failed) co_return fail(failed.error());
  if (!failed->has_value()) co_return std::string();
  co_return "the dependencies could not be fetched (" + (*toolchain)->toolchain().prepare + "): " + printed((*failed)->result());
}

task<Result<Ran>> run_prepared(TaskContext& context, CommandRequest request) {
  auto told = co_await prepare_dependencies(context, request);
  if (!told) co_return fail(told.error());
  auto outcome = co_await context.run(std::move(request));
  if (!outcome) co_return fail(outcome.error());
  co_return Ran{std::move(*told), std::move(*outcome)};
}

task<Result<ToolAnswer>> run_command(ToolSetting setting, Object arguments) {
  const std::string command = text_argument(arguments, "command");
  if (evidence::trimmed(command).empty()) co_return refusal("the command is empty\n");
  if (command.find('\0') != std::string::npos) co_return refusal("a command holds no NUL\n");
  if (setting.access->enforce) {
    auto allowed = setting.access->enforce(RunCommand{setting.context->assignment().workflow.get(), command});
    if (!allowed) co_return refusal("not allowed by the workflow's policies: " + printable_line(to_string(allowed.error()), 1'000) + "\n");
  }
  const bool keep = flag_argument(arguments, "keep_changes");
  if (keep && !setting.access->commands_may_change_files)
    co_return refusal("keep_changes is not for this task: change files by write_file or apply_patch where they are offered\n");
  auto before = co_await setting.workspace->snapshot();
  if (!before) co_return fail(before.error());
  auto ran = co_await run_prepared(*setting.context, request_of(setting, arguments));
  if (!ran && ran.error().code != ErrorCode::permission_denied) co_return fail(ran.error());
  if (!ran) {  // it planted a repository: nothing of it stays
    auto restored = co_await setting.workspace->restore(*before);
    if (!restored) co_return fail(restored.error());
    co_return refusal("the command was refused: " + printable_line(to_string(ran.error()), 1'000) + "\n");
  }
  auto kept = co_await settle_files(setting, std::move(*before), keep);
  if (!kept) co_return fail(kept.error());
  co_return ToolAnswer{.text = ran->told + printed(ran->outcome.result) + *kept,
                       .failed = false,
                       .attributes = {},
                       .artifacts = std::move(ran->outcome.artifacts)};
}

}  // namespace

Tool run_command_tool() {
  return {.name = "run_command",
          .description =
              "Runs a shell command in the sandbox, in the workspace's root: no network, bounded time and memory. Gives its exit "
              "code and what it printed. Each command starts from the workspace's files and the project's dependencies; what it "
              "changes is dropped unless keep_changes is true.",
          .parameters = {{.name = "command", .required = true, .description = "for /bin/sh", .bytes_max = kCommandBytesMax},
                         {.name = "timeout_s",
                          .type = ToolParameter::Type::integer,
                          .description = "seconds after which it is ended; 120 where left out",
                          .low = 1,
                          .high = kSecondsMax},
                         {.name = "keep_changes",
                          .type = ToolParameter::Type::flag,
                          .description = "whether the files it changed stay changed (formatters, generators); false where left out"}},
          .effect = ToolEffect::runs,
          .perform = run_command};
}

}  // namespace conductorai::agents
