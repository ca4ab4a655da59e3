// How a command of an attempt is kept as a step, and comes back from the record.

#include <algorithm>
#include <system_error>
#include <utility>

#include "agents/base/attempt_context.hpp"
#include "base/utf8.hpp"
#include "core/json.hpp"
#include "runtime/persist.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kInlineBytesMax = 64 * 1024;

}  // namespace

// Artifacts first, then the step that refers to them; only then does the agent see the outcome.
task<Result<CommandOutcome>> AttemptContext::keep(Prepared command, CommandResult result) {
  CommandRecord record;
  record.outcome.result = std::move(result);
  StepFinish finish = finish_of(command, StepStatus::answered, {});
  // The wall budget bounds what was reserved; a kill takes a moment longer.
  finish.usage.wall_ms = std::min(record.outcome.result.duration_ms, command.reserved.count());
  auto kept = co_await keep_files(command, record, finish);
  if (!kept) {
    // What it did is not on record, so it counts in full: the time was spent, and nothing stays reserved.
    auto settled = co_await settle(finish_of(command, StepStatus::unknown, error_body(kept.error())));
    co_return fail(settled ? kept.error() : settled.error());
  }
  auto settled = co_await settle(std::move(finish));
  if (!settled) co_return fail(settled.error());
  auto whole = co_await with_collected(std::move(record), command.request.collect);
  co_return whole;
}

// Everything that the step refers to; `finish` gets the response and the tree. A tree that must not be recorded (a planted repository) is
// an error.
task<Result<void>> AttemptContext::keep_files(const Prepared& command, CommandRecord& record, StepFinish& finish) {
  CommandOutcome& outcome = record.outcome;
  const std::string& name = command.request.artifact_name;
  auto out = co_await keep_output(outcome.result.out, name + ".stdout", outcome);
  if (!out) co_return fail(out.error());
  auto err = co_await keep_output(outcome.result.err, name + ".stderr", outcome);
  if (!err) co_return fail(err.error());
  auto collected = co_await keep_collected(command.request, record);
  if (!collected) co_return fail(collected.error());
  auto after = co_await workspace_->snapshot();
  if (!after) co_return fail(after.error());
  if (*after != command.tree) finish.tree = std::move(*after);
  auto body = co_await keep_body(command.step, encode(record));
  if (!body) co_return fail(body.error());
  finish.response = std::move(*body);
  co_return Result<void>{};
}

// A command that was ended from outside has no outcome, but what it printed until then tells why it took so long. Returns the error that
// the attempt ends with.
task<Error> AttemptContext::keep_stopped(Prepared command, CommandResult result, Error error) {
  CommandOutcome outcome;
  for (auto [output, name] : {std::pair{&result.out, ".stdout"}, std::pair{&result.err, ".stderr"}}) {
    auto kept = co_await keep_output(*output, command.request.artifact_name + name, outcome);
    if (!kept) progress("what a stopped command printed could not be kept: " + to_string(kept.error()));
  }
  saved_.insert(saved_.end(), outcome.artifacts.begin(), outcome.artifacts.end());
  const bool spent = error.code == ErrorCode::budget_exhausted || error.code == ErrorCode::cancelled;
  auto settled = co_await settle(finish_of(command, spent ? StepStatus::unknown : StepStatus::failed, error_body(error)));
  co_return settled ? std::move(error) : settled.error();
}

// Secrets are out of it before anything is kept or shown.
task<Result<void>> AttemptContext::keep_output(CapturedOutput& output, std::string name, CommandOutcome& outcome) {
  mask().output(output);
  if (output.file.empty()) co_return Result<void>{};
  const auto file = std::exchange(output.file, {});
  auto masked = mask().file(file, output.truncated);
  if (!masked) co_return fail(masked.error());
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
    *content = mask().text_cut_after(std::move(*content), std::cmp_greater_equal(content->size(), request.collect_bytes_max));
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

// A step that cannot be settled stays reserved: the attempt is suspended, and settles it when it is taken up again.
task<Result<void>> AttemptContext::settle(StepFinish finish) {
  StateManager& states = services_.states;
  auto settled = co_await runtime::persist(services_.clock, [&states, finish] { return states.finish_step(finish); });
  if (settled) co_return settled;
  Error error{.code = settled.error().code,
              .message = "how step " + finish.id.ordinal + " ended could not be recorded",
              .where = std::string(kUnrecordedAnswer)};
  error.cause = std::make_shared<const Error>(settled.error());
  co_return fail(std::move(error));
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
