// Commands of an attempt as steps: AttemptContext::run and what it is made of.

#include <algorithm>

#include "agents/base/attempt_context.hpp"
#include "runtime/scope.hpp"

namespace conductorai::agents {
namespace {

/// The longest a command can take: its attempt is stopped by the task's own timeout too.
Milliseconds reservation(Milliseconds wall, const TaskDefinition& task) {
  return task.timeout ? std::min(wall, *task.timeout) : wall;
}

}  // namespace

task<Result<CommandOutcome>> AttemptContext::run(CommandRequest request) {
  Prepared command{.request = std::move(request), .step = {assignment_->id, next_ordinal()}, .tree = {}};
  auto opened = co_await workspace();
  if (!opened) co_return fail(opened.error());
  auto tree = co_await (*opened)->snapshot();
  if (!tree) co_return fail(tree.error());
  command.tree = std::move(*tree);
  auto begun = co_await begin(command);
  if (!begun) co_return fail(begun.error());
  if (begun->outcome == StepBegun::Outcome::refused)
    co_return fail(ErrorCode::budget_exhausted, begun->refusal, to_string(assignment_->id), "raise it with `resume --add-budget`");
  if (begun->outcome == StepBegun::Outcome::answered) {
    auto replayed = co_await replay(std::move(begun->record), std::move(command.request.collect));
    co_return replayed;
  }
  command.try_number = begun->record.tries;
  auto performed = co_await perform(std::move(command));
  co_return performed;
}

// What the budget leaves is also the longest the command may take.
task<Result<StepBegun>> AttemptContext::begin(Prepared& command) {
  const Milliseconds wall = assignment_->workflow->sandbox.wall;
  command.wall = std::min(command.request.timeout.value_or(wall), wall);
  const Milliseconds longest = reservation(command.wall, *assignment_->task);
  StepBegin step{.id = command.step,
                 .kind = "tool",
                 .request_digest = command_digest(command.request, command.tree, scratch_names_),
                 .worst_case = {.usd_micros = 0, .tokens = 0, .calls = 0, .wall_ms = longest.count()},
                 .scopes = budget_scopes(),
                 .epoch = assignment_->epoch};
  auto begun = co_await services_.turns.begin(std::move(step), command.under_way);
  if (!begun || begun->outcome != StepBegun::Outcome::begun) co_return begun;
  command.reserved = Milliseconds(begun->record.reserved.wall_ms);
  command.clamped = command.reserved < longest;
  if (command.clamped) command.wall = command.reserved;
  co_return begun;
}

bool AttemptContext::networked(const CommandRequest& request) const {
  switch (assignment_->workflow->sandbox.network) {
    case Network::none: return false;
    case Network::prepare: return request.network;
    case Network::full: return true;
  }
  return false;
}

SandboxCommand AttemptContext::sandbox_command(const Prepared& command, const std::filesystem::path& root) {
  const CommandRequest& request = command.request;
  SandboxCommand out;
  out.argv = request.shell.empty() ? request.argv : std::vector<std::string>{"/bin/sh", "-c", request.shell};
  out.workspace = root;
  out.working_subdirectory = request.working_subdirectory;
  for (const std::string& name : assignment_->workflow->env)
    if (auto found = services_.host_environment.find(name); found != services_.host_environment.end()) out.environment.insert(*found);
  for (const auto& [name, value] : request.environment) out.environment[name] = value;
  out.mounts = request.mounts;
  out.limits = assignment_->workflow->sandbox;
  out.limits.wall = command.wall;
  out.network = networked(request);
  return out;
}

StepFinish AttemptContext::finish_of(const Prepared& command, StepStatus status, std::string response) const {
  return {.id = command.step,
          .try_number = command.try_number,
          .status = status,
          .usage = {},
          .response = std::move(response),
          .tree = {},
          .epoch = assignment_->epoch};
}

task<Result<CommandOutcome>> AttemptContext::perform(Prepared command) {
  if (auto made = make_sandbox(); !made) {
    (void)co_await runtime::shielded(settle(finish_of(command, StepStatus::failed, error_body(made.error()))));
    co_return fail(made.error());
  }
  if (!command.request.label.empty()) progress(command.request.label);
  auto stopped = std::make_shared<CommandResult>();
  SandboxCommand wanted = sandbox_command(command, workspace_->root());
  wanted.stopped = stopped;
  auto result = co_await sandbox_->run(std::move(wanted));
  if (!result) {
    auto ended = co_await runtime::shielded(keep_stopped(std::move(command), std::move(*stopped), result.error()));
    co_return fail(std::move(ended));
  }
  if (!command.clamped || result->exceeded != "wall") {
    auto kept = co_await runtime::shielded(keep(std::move(command), std::move(*result)));
    co_return kept;
  }
  Error over{.code = ErrorCode::budget_exhausted,
             .message = "the wall-minutes budget ended while a command ran",
             .where = to_string(assignment_->id),
             .hint = "raise it with `resume --add-budget`"};
  auto ended = co_await runtime::shielded(keep_stopped(std::move(command), std::move(*result), std::move(over)));
  co_return fail(std::move(ended));
}

}  // namespace conductorai::agents
