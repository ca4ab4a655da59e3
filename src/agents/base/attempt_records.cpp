// Outside calls of an agent's own kind as steps: AttemptContext::record.

#include "agents/base/attempt_context.hpp"
#include "base/crash_point.hpp"
#include "core/codec.hpp"
#include "core/json.hpp"
#include "runtime/scope.hpp"

namespace conductorai::agents {

task<Result<Value>> AttemptContext::record(RecordRequest request, PerformStep perform) {
  const StepId step{assignment_->id, next_ordinal()};
  const StepBegin begin{.id = step,
                        .kind = request.kind,
                        .request_digest = "sha256:" + core::sha256_hex(request.request),
                        .worst_case = {},
                        .scopes = budget_scopes(),
                        .epoch = assignment_->epoch};
  auto begun = co_await runtime::shielded(services_.states.begin_step(begin));
  if (!begun) co_return fail(begun.error());
  if (begun->outcome == StepBegun::Outcome::refused)
    co_return fail(ErrorCode::budget_exhausted, begun->refusal, to_string(assignment_->id), "raise it with `resume --add-budget`");
  if (begun->outcome == StepBegun::Outcome::answered) {
    auto answer = co_await replay_recorded(std::move(begun->record));
    co_return answer;
  }
  if (!request.label.empty()) progress(std::move(request.label));
  StepFinish finish{.id = step,
                    .try_number = begun->record.tries,
                    .status = StepStatus::answered,
                    .usage = {},
                    .response = {},
                    .tree = {},
                    .epoch = assignment_->epoch};
  auto performed = co_await perform_recorded(std::move(finish), std::move(perform), request.changes_files);
  co_return performed;
}

task<Result<Value>> AttemptContext::replay_recorded(StepRecord step) {
  if (!step.tree.empty()) {
    auto opened = co_await workspace();
    if (!opened) co_return fail(opened.error());
    auto restored = co_await (*opened)->restore(step.tree);
    if (!restored) co_return fail(restored.error());
  }
  auto body = co_await body_of(std::move(step.response));
  if (!body) co_return fail(body.error());
  auto answer = core::parse_json(*body);
  co_return answer;
}

task<Result<Value>> AttemptContext::perform_recorded(StepFinish finish, PerformStep perform, bool changes_files) {
  auto answer = co_await perform(finish.id);
  if (answer) *answer = mask().value(std::move(*answer));
  crash_point("agent.after_record");
  if (answer) {
    auto filled = co_await runtime::shielded(fill_finish(finish, *answer, changes_files));
    if (!filled) {
      finish.status = StepStatus::unknown;
      finish.response = error_body(filled.error());
      auto settled = co_await runtime::shielded(settle(std::move(finish)));
      co_return fail(settled ? filled.error() : settled.error());
    }
  } else {
    finish.status = answer.error().code == ErrorCode::cancelled ? StepStatus::unknown : StepStatus::failed;
    finish.response = error_body(answer.error());
  }
  auto settled = co_await runtime::shielded(settle(std::move(finish)));
  if (!settled) co_return fail(settled.error());
  co_return answer;
}

task<Result<void>> AttemptContext::fill_finish(StepFinish& finish, Value answer, bool changes_files) {
  if (changes_files) {
    auto opened = co_await workspace();
    if (!opened) co_return fail(opened.error());
    auto tree = co_await (*opened)->snapshot();
    if (!tree) co_return fail(tree.error());
    finish.tree = std::move(*tree);
  }
  auto body = co_await keep_body(finish.id, core::to_json(answer));
  if (!body) co_return fail(body.error());
  finish.response = std::move(*body);
  co_return Result<void>{};
}

}  // namespace conductorai::agents
