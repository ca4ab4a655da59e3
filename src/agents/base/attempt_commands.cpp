// Commands of an attempt as steps: AttemptContext::run and what it is made of.

#include <algorithm>
#include <system_error>

#include "agents/base/attempt_context.hpp"
#include "core/json.hpp"
#include "runtime/scope.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kInlineBytesMax = 64 * 1024;
constexpr int kSettleTries = 6;
constexpr Milliseconds kSettlePause{100};  // doubling

bool worth_repeating(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::resource_exhausted;
}

}  // namespace

task<Result<CommandOutcome>> AttemptContext::run(CommandRequest request) {
  Prepared command{.request = std::move(request), .step = {assignment_->id, next_ordinal()}, .tree = {}};
  auto opened = co_await workspace();
  if (!opened) co_return fail(opened.error());
  auto tree = co_await (*opened)->snapshot();
  if (!tree) co_return fail(tree.error());
  command.tree = std::move(*tree);
  auto begun = co_await runtime::shielded(begin(command));
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

task<Result<Milliseconds>> AttemptContext::wall_left() {
  Milliseconds left = Milliseconds::max();
  for (const BudgetScope& scope : assignment_->scopes) {
    if (!scope.wall_ms) continue;
    auto use = co_await services_.states.budget_use(scope.key);
    if (!use) co_return fail(use.error());
    left = std::min(left, Milliseconds(*scope.wall_ms - use->spent.wall_ms - use->reserved.wall_ms));
  }
  co_return left;
}

// What the budget leaves is also the longest the command may take. With nothing left the full time is asked for, and refused with numbers.
task<Result<StepBegun>> AttemptContext::begin(Prepared& command) {
  const Milliseconds wall = assignment_->workflow->sandbox.wall;
  const Milliseconds wanted = std::min(command.request.timeout.value_or(wall), wall);
  auto left = co_await wall_left();
  if (!left) co_return fail(left.error());
  command.clamped = left->count() > 0 && *left < wanted;
  command.wall = command.clamped ? *left : wanted;
  const StepBegin step{.id = command.step,
                       .kind = "tool",
                       .request_digest = command_digest(command.request, command.tree, scratch_names_),
                       .worst_case = {.usd_micros = 0, .tokens = 0, .calls = 0, .wall_ms = command.wall.count()},
                       .scopes = assignment_->scopes,
                       .epoch = assignment_->epoch};
  auto begun = co_await services_.states.begin_step(step);
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

task<Result<CommandOutcome>> AttemptContext::perform(Prepared command) {
  if (sandbox_ == nullptr) {
    auto made = services_.sandbox(assignment_->workflow->sandbox);
    if (!made) {
      (void)co_await runtime::shielded(settle({.id = command.step,
                                               .try_number = command.try_number,
                                               .status = StepStatus::failed,
                                               .usage = {},
                                               .response = error_body(made.error()),
                                               .tree = {},
                                               .epoch = assignment_->epoch}));
      co_return fail(made.error());
    }
    sandbox_ = std::move(*made);
  }
  if (!command.request.label.empty()) progress(command.request.label);
  auto result = co_await sandbox_->run(sandbox_command(command, workspace_->root()));
  const bool out_of_budget = result && command.clamped && result->exceeded == "wall";
  if (result && !out_of_budget) {
    auto kept = co_await runtime::shielded(keep(std::move(command), std::move(*result)));
    co_return kept;
  }
  Error error = result ? Error{.code = ErrorCode::budget_exhausted,
                               .message = "the wall-minutes budget ended while a command ran",
                               .where = to_string(assignment_->id),
                               .hint = "raise it with `resume --add-budget`"}
                       : result.error();
  const bool spent = out_of_budget || error.code == ErrorCode::cancelled;
  auto settled = co_await runtime::shielded(settle({.id = command.step,
                                                    .try_number = command.try_number,
                                                    .status = spent ? StepStatus::unknown : StepStatus::failed,
                                                    .usage = {},
                                                    .response = error_body(error),
                                                    .tree = {},
                                                    .epoch = assignment_->epoch}));
  if (!settled) co_return fail(settled.error());
  co_return fail(std::move(error));
}

// Artifacts first, then the step that refers to them; only then does the agent see the outcome.
task<Result<CommandOutcome>> AttemptContext::keep(Prepared command, CommandResult result) {
  CommandRecord record;
  record.outcome.result = std::move(result);
  CommandOutcome& outcome = record.outcome;
  const std::string& name = command.request.artifact_name;
  auto out = co_await keep_output(outcome.result.out, name + ".stdout", outcome);
  if (!out) co_return fail(out.error());
  auto err = co_await keep_output(outcome.result.err, name + ".stderr", outcome);
  if (!err) co_return fail(err.error());
  auto collected = co_await keep_collected(command.request, record);
  if (!collected) co_return fail(collected.error());
  auto after = co_await workspace_->snapshot();
  StepFinish finish{.id = command.step,
                    .try_number = command.try_number,
                    .status = StepStatus::answered,
                    .usage = {},
                    .response = {},
                    .tree = {},
                    .epoch = assignment_->epoch};
  // The wall budget bounds what was reserved; a kill takes a moment longer.
  finish.usage.wall_ms = std::min(outcome.result.duration_ms, command.wall.count());
  if (!after) {  // it left what must not be recorded (a planted repository)
    finish.status = StepStatus::unknown;
    finish.response = error_body(after.error());
    auto settled = co_await settle(std::move(finish));
    if (!settled) co_return fail(settled.error());
    co_return fail(after.error());
  }
  if (*after != command.tree) finish.tree = std::move(*after);
  auto body = co_await keep_body(command.step, encode(record));
  if (!body) co_return fail(body.error());
  finish.response = std::move(*body);
  auto settled = co_await settle(std::move(finish));
  if (!settled) co_return fail(settled.error());
  auto whole = co_await with_collected(std::move(record), command.request.collect);
  co_return whole;
}

task<Result<void>> AttemptContext::keep_output(CapturedOutput& output, std::string name, CommandOutcome& outcome) {
  if (output.file.empty()) co_return Result<void>{};
  const auto file = std::exchange(output.file, {});
  auto saved = co_await services_.artifacts.save_file(record_of(std::move(name), "log"), file);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  if (!saved) co_return fail(saved.error());
  outcome.artifacts.push_back({saved->name, saved->type, saved->digest, saved->size});
  co_return Result<void>{};
}

task<Result<void>> AttemptContext::keep_collected(CommandRequest request, CommandRecord& record) {
  for (std::size_t i = 0; i < request.collect.size(); ++i) {
    auto content = collect_file(request.mounts, request.collect[i], request.collect_bytes_max);
    if (!content) continue;
    const std::string key = std::to_string(i);
    if (content->size() <= kInlineBytesMax && is_utf8(*content)) {
      record.outcome.collected[key] = std::move(*content);
      continue;
    }
    const std::string leaf = std::filesystem::path(request.collect[i]).filename().string();
    auto saved = co_await services_.artifacts.save(record_of(request.artifact_name + "." + leaf, "report"), std::move(*content));
    if (!saved) co_return fail(saved.error());
    record.collected_artifacts[key] = saved->digest;
  }
  co_return Result<void>{};
}

task<Result<std::string>> AttemptContext::keep_body(StepId step, std::string body) {
  if (body.size() <= kInlineBytesMax) co_return body;
  auto saved = co_await services_.artifacts.save(record_of("step-" + step.ordinal, "log"), std::move(body));
  if (!saved) co_return fail(saved.error());
  co_return core::to_json(Object{{"body", saved->digest.str()}});
}

task<Result<void>> AttemptContext::settle(StepFinish finish) {
  for (int tries = 1;; ++tries) {
    auto written = co_await services_.states.finish_step(finish);
    if (written || tries == kSettleTries || !worth_repeating(written.error())) co_return written;
    (void)co_await sleep_for(services_.clock, kSettlePause * (1 << (tries - 1)));
  }
}

task<Result<std::string>> AttemptContext::body_of(std::string stored) {
  auto reference = core::parse_json(stored);
  const Value* digest = reference ? reference->find("body") : nullptr;
  if (digest == nullptr || digest->as_string() == nullptr) co_return stored;
  auto bytes = co_await services_.artifacts.get(Digest(*digest->as_string()));
  co_return bytes;
}

task<Result<CommandOutcome>> AttemptContext::replay(StepRecord step, std::vector<std::string> collect) {
  auto body = co_await body_of(std::move(step.response));
  if (!body) co_return fail(body.error());
  auto record = decode_command_record(*body);
  if (!record) co_return fail(record.error());
  if (!step.tree.empty()) {
    auto restored = co_await workspace_->restore(step.tree);
    if (!restored) co_return fail(restored.error());
  }
  auto whole = co_await with_collected(std::move(*record), std::move(collect));
  co_return whole;
}

// The one way an outcome reaches the agent, live or from the record. On record the collected files go by their place in `collect`: their
// folders have other names after a crash.
task<Result<CommandOutcome>> AttemptContext::with_collected(CommandRecord record, std::vector<std::string> collect) {
  for (const auto& [key, digest] : record.collected_artifacts) {
    auto bytes = co_await services_.artifacts.get(digest);
    if (!bytes) co_return fail(bytes.error());
    record.outcome.collected[key] = std::move(*bytes);
  }
  std::map<std::string, std::string> by_path;
  for (std::size_t i = 0; i < collect.size(); ++i)
    if (auto found = record.outcome.collected.find(std::to_string(i)); found != record.outcome.collected.end())
      by_path[collect[i]] = std::move(found->second);
  record.outcome.collected = std::move(by_path);
  saved_.insert(saved_.end(), record.outcome.artifacts.begin(), record.outcome.artifacts.end());
  co_return std::move(record.outcome);
}

}  // namespace conductorai::agents
