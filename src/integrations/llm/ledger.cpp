#include "integrations/llm/ledger.hpp"

#include <algorithm>

#include "base/crash_point.hpp"
#include "core/codec.hpp"
#include "core/json_codec.hpp"
#include "integrations/llm/failed_call.hpp"
#include "integrations/llm/step_body.hpp"
#include "runtime/persist.hpp"
#include "runtime/scope.hpp"
#include "runtime/wall_budget.hpp"

namespace conductorai::integrations {
namespace {

constexpr std::size_t kInlineBytesMax = 64 * 1024;

StepId step_of(const LLMCaller& caller) {
  return {caller.attempt, caller.ordinal};
}

// A field more here would make every attempt taken up again diverge, so who asks stays out.
std::string sent_part(const LLMRequest& request) {
  LLMRequest sent = request;
  sent.caller = {};
  return core::write_json(sent);
}

}  // namespace

StepStatus settled_status(const Error& error) {
  switch (error.code) {
    case ErrorCode::timeout:
    case ErrorCode::cancelled:
    case ErrorCode::invalid_answer:
    case ErrorCode::internal: return StepStatus::unknown;
    default: return StepStatus::failed;
  }
}

std::string request_digest(const LLMRequest& request) {
  return "sha256:" + core::sha256_hex(sent_part(request));
}

task<Result<LLMResponse>> LedgerProvider::chat(LLMRequest request) {
  auto reserve = begin_shielded(request);
  auto begun = co_await std::move(reserve);
  auto call = follow(request, begun);
  auto answer = co_await std::move(call);
  co_return answer;
}

// What these make lives in no frame that waits: a coroutine keeps room for all that its own statements make.
task<Result<StepBegun>> LedgerProvider::begin_shielded(const LLMRequest& request) {
  return runtime::shielded(begin(request));
}

task<Result<LLMResponse>> LedgerProvider::follow(LLMRequest& request, Result<StepBegun>& begun) {
  if (!begun) return failed_call(std::move(begun.error()));
  if (begun->outcome == StepBegun::Outcome::answered) return replay(std::move(begun->record));
  if (begun->outcome == StepBegun::Outcome::begun) return perform(std::move(request), std::move(begun->record));
  return failed_call({.code = ErrorCode::budget_exhausted,
                      .message = std::move(begun->refusal),
                      .where = to_string(request.caller.attempt),
                      .hint = "raise it with `resume --add-budget`"});
}

task<Result<StepBegun>> LedgerProvider::begin(LLMRequest request) {
  StepBegin step{.id = step_of(request.caller),
                 .kind = "llm",
                 .request_digest = request_digest(request),
                 .worst_case = reservation(size_of(request), account_.price, account_.frames),
                 .scopes = account_.scopes,
                 .epoch = account_.epoch};
  auto allowed = co_await allow_time(step);
  if (!allowed) co_return fail(allowed.error());
  if (account_.waits) {
    auto held = co_await holds_ticket(step);
    if (!held) co_return fail(held.error());
    step.take_up = *held;
  }
  auto begun = co_await ports_.states.begin_step(step);
  co_return begun;
}

task<Result<void>> LedgerProvider::allow_time(StepBegin& step) {
  if (account_.waits) co_return Result<void>{};
  auto left = co_await runtime::wall_left(ports_.states, account_.scopes);
  if (!left) co_return fail(left.error());
  // With nothing left the whole time is asked for, and refused with numbers.
  step.worst_case.wall_ms = (left->count() > 0 ? std::min(*left, account_.timeout) : account_.timeout).count();
  co_return Result<void>{};
}

namespace {
std::string ticket_of(const StepRecord& record) {
  const auto body = core::read_json<StepBody>(record.response);
  // A later try that was sent without one has left the word of an earlier try standing.
  if (record.status != StepStatus::sent || !body || !body->ticket || body->ticket->of_try != record.tries) return {};
  return body->ticket->text;
}
}  // namespace

task<Result<bool>> LedgerProvider::holds_ticket(StepBegin step) {
  auto steps = co_await ports_.states.load_steps(step.id.attempt);
  if (!steps) co_return fail(steps.error());
  co_return std::ranges::any_of(*steps, [&](const StepRecord& record) {
    return record.id == step.id && !record.set_aside && record.request_digest == step.request_digest && !ticket_of(record).empty();
  });
}

StepFinish LedgerProvider::finish_of(const StepRecord& record, StepStatus status) const {
  return {.id = record.id, .try_number = record.tries, .status = status, .usage = {}, .response = {}, .tree = {}, .epoch = account_.epoch};
}

// It may be called after the attempt is gone, so it holds all it needs.
std::function<task<Result<void>>(std::string)> LedgerProvider::ticket_keeper(const StepRecord& record,
                                                                             std::vector<std::string> notes) const {
  StepFinish word = finish_of(record, StepStatus::sent);
  return [&states = ports_.states, &clock = ports_.clock, word = std::move(word), notes = std::move(notes)](std::string ticket) {
    StepBody body{
        .answer = {}, .answer_artifact = {}, .error = {}, .notes = notes, .ticket = StepTicket{word.try_number, std::move(ticket)}};
    StepFinish kept = word;
    kept.response = core::write_json(body);
    return runtime::persist(clock, [&states, kept] { return states.finish_step(kept); });
  };
}

// What the budget leaves is also the longest the call may take.
task<Result<LLMResponse>> LedgerProvider::bounded(task<Result<LLMResponse>> call, Milliseconds reserved) const {
  if (account_.waits || reserved >= account_.timeout) return call;
  return runtime::with_deadline(ports_.clock, reserved, "a call within the wall-minutes budget", std::move(call));
}

namespace {
/// An answer that could not be recorded: asking again would pay again, so the attempt is suspended until the store takes writes.
Error unrecorded(Error cause) {
  Error error{.code = cause.code, .message = "a model's answer could not be recorded", .where = std::string(kUnrecordedAnswer)};
  error.cause = std::make_shared<const Error>(std::move(cause));
  return error;
}
}  // namespace

task<Result<LLMResponse>> LedgerProvider::perform(LLMRequest request, StepRecord record) {
  auto sent = std::make_unique<Sent>(Sent{.caller = request.caller, .record = std::move(record), .at = {}});
  auto call = send(request, *sent);
  auto answer = co_await std::move(call);
  if (!answer && answer.error().where == kLeftWaiting) co_return answer;
  crash_point("llm.after_answer");
  auto ending = recorded(std::move(sent), answer);
  auto ended = co_await std::move(ending);
  co_return ended;
}

task<Result<LLMResponse>> LedgerProvider::send(LLMRequest& request, Sent& sent) {
  if (account_.waits) {
    request.ticket = ticket_of(sent.record);
    request.keep_ticket = ticket_keeper(sent.record, notes_of(sent.record));
  }
  if (ports_.notes != nullptr) ports_.notes->stand(sent.record.id, notes_of(sent.record));
  crash_point("llm.before_send");
  sent.at = ports_.clock.steady_now();
  return bounded(ports_.inner.chat(std::move(request)), Milliseconds(sent.record.reserved.wall_ms));
}

task<Result<LLMResponse>> LedgerProvider::recorded(std::unique_ptr<Sent> out, Result<LLMResponse>& answer) {
  const Sent& sent = *out;
  const auto took = std::chrono::duration_cast<Milliseconds>(ports_.clock.steady_now() - sent.at);
  StepBody body{.answer = {}, .answer_artifact = {}, .error = {}, .notes = notes_of(sent.record), .ticket = {}};
  if (ports_.notes != nullptr)
    if (auto note = ports_.notes->take_note(sent.caller); !note.empty()) body.notes.push_back(std::move(note));

  StepFinish finish = finish_of(sent.record, StepStatus::answered);
  if (answer) {
    if (answer->usage.cached_calls == 0) {
      answer->usage.calls = 1;
      if (account_.price) answer->usage.usd_micros = cost(*account_.price, *answer);
    }
    finish.usage = answer->usage;
    finish.usage.wall_ms = std::min(took, Milliseconds(sent.record.reserved.wall_ms)).count();
    auto stored = co_await runtime::shielded(store_answer(sent.caller, *answer, body));
    if (!stored) {  // the answer is lost, its price is not: nothing stays reserved
      finish.status = StepStatus::unknown;
      finish.usage = {};
      (void)co_await runtime::shielded(settle(std::move(finish)));
      co_return fail(unrecorded(stored.error()));
    }
  } else {
    finish.status = settled_status(answer.error());
    body.error = answer.error();
  }
  finish.response = core::write_json(body);
  auto settled = co_await runtime::shielded(settle(std::move(finish)));
  if (!settled) co_return fail(unrecorded(settled.error()));
  co_return std::move(answer);
}

// A large body is durable before the step that refers to it.
task<Result<void>> LedgerProvider::store_answer(LLMCaller caller, LLMResponse answer, StepBody& body) {
  std::string json = core::write_json(answer);
  if (json.size() <= kInlineBytesMax) {
    body.answer = std::move(answer);
    co_return Result<void>{};
  }
  ArtifactRecord record{.workflow = caller.attempt.workflow,
                        .task = caller.attempt.task,
                        .agent = account_.agent,
                        .round = caller.attempt.round,
                        .attempt = caller.attempt.attempt,
                        .type = "answer",
                        .name = "answer-" + caller.ordinal,
                        .digest = {},
                        .size = 0,
                        .at = ports_.clock.now()};
  ArtifactStore& artifacts = ports_.artifacts;
  auto saved = co_await runtime::persist(ports_.clock, [&artifacts, record, json] { return artifacts.save(record, json); });
  if (!saved) co_return fail(saved.error());
  body.answer_artifact = saved->digest;
  co_return Result<void>{};
}

task<Result<void>> LedgerProvider::settle(StepFinish finish) {
  StateManager& states = ports_.states;
  auto settled = co_await runtime::persist(ports_.clock, [&states, finish] { return states.finish_step(finish); });
  co_return settled;
}

task<Result<LLMResponse>> LedgerProvider::replay(StepRecord record) {
  auto body = core::read_json<StepBody>(record.response);
  if (!body)
    co_return fail(ErrorCode::data_corrupted,
                   "the recorded answer of step " + record.id.ordinal + " does not read: " + body.error().message);
  if (body->answer) co_return std::move(*body->answer);
  auto bytes = co_await ports_.artifacts.get(body->answer_artifact);
  if (!bytes) co_return fail(bytes.error());
  auto answer = core::read_json<LLMResponse>(*bytes);
  co_return answer;
}

}  // namespace conductorai::integrations
