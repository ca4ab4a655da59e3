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
                        .scopes = assignment_->scopes,
                        .epoch = assignment_->epoch};
  auto begun = co_await runtime::shielded(services_.states.begin_step(begin));
  if (!begun) co_return fail(begun.error());
  if (begun->outcome == StepBegun::Outcome::refused)
    co_return fail(ErrorCode::budget_exhausted, begun->refusal, to_string(assignment_->id), "raise it with `resume --add-budget`");
  if (begun->outcome == StepBegun::Outcome::answered) {
    auto body = co_await body_of(std::move(begun->record.response));
    if (!body) co_return fail(body.error());
    auto answer = core::parse_json(*body);
    co_return answer;
  }
  if (!request.label.empty()) progress(std::move(request.label));
  auto performed = co_await perform_recorded(step, begun->record.tries, std::move(perform));
  co_return performed;
}

task<Result<Value>> AttemptContext::perform_recorded(StepId step, int try_number, PerformStep perform) {
  auto answer = co_await perform(step);
  if (answer) *answer = mask_.value(std::move(*answer));
  crash_point("agent.after_record");
  StepFinish finish{.id = step,
                    .try_number = try_number,
                    .status = StepStatus::answered,
                    .usage = {},
                    .response = {},
                    .tree = {},
                    .epoch = assignment_->epoch};
  if (answer) {
    auto body = co_await runtime::shielded(keep_body(step, core::to_json(*answer)));
    if (!body) {
      finish.status = StepStatus::unknown;
      finish.response = error_body(body.error());
      auto settled = co_await runtime::shielded(settle(std::move(finish)));
      co_return fail(settled ? body.error() : settled.error());
    }
    finish.response = std::move(*body);
  } else {
    finish.status = answer.error().code == ErrorCode::cancelled ? StepStatus::unknown : StepStatus::failed;
    finish.response = error_body(answer.error());
  }
  auto settled = co_await runtime::shielded(settle(std::move(finish)));
  if (!settled) co_return fail(settled.error());
  co_return answer;
}

}  // namespace conductorai::agents
