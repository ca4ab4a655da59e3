#include "integrations/llm/ledger.hpp"

#include <algorithm>

#include "base/crash_point.hpp"
#include "core/budget.hpp"
#include "core/codec.hpp"
#include "core/json_codec.hpp"
#include "integrations/llm/handing_on.hpp"
#include "integrations/llm/step_body.hpp"
#include "runtime/persist.hpp"
#include "runtime/scope.hpp"

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
  return step(std::make_unique<LLMRequest>(std::move(request)));
}

task<Result<LLMResponse>> LedgerProvider::step(std::unique_ptr<LLMRequest> request) {
  runtime::BudgetTurns::UnderWay under_way;
  auto reserve = begin(*request, under_way);
  auto begun = co_await std::move(reserve).boxed();
  auto call = follow(std::move(request), std::move(begun));
  auto answer = co_await std::move(call).boxed();
  co_return answer;
}

task<Result<StepBegun>> LedgerProvider::begin(const LLMRequest& request, runtime::BudgetTurns::UnderWay& under_way) {
  StepBegin step{
      .id = step_of(request.caller),
      .kind = "llm",
      .request_digest = request_digest(request),
      .worst_case = reservation(size_of(request), account_.price, account_.frames),
      .scopes = core::budget_scopes(account_.limits, request.caller.attempt, AgentType(request.caller.agent_type), ports_.clock.now()),
      .epoch = account_.epoch};
  if (account_.waits) return runtime::shielded(begin_or_take_up(std::make_unique<StepBegin>(std::move(step))));
  step.worst_case.wall_ms = account_.timeout.count();
  return ports_.turns.begin(std::move(step), under_way);
}

task<Result<StepBegun>> LedgerProvider::begin_or_take_up(std::unique_ptr<StepBegin> step) {
  auto look = holds_ticket(*step);
  auto held = co_await std::move(look);
  if (!held) co_return fail(held.error());
  step->take_up = *held;
  auto begin = ports_.states.begin_step(std::move(*step));
  auto begun = co_await std::move(begin).boxed();
  co_return begun;
}

task<Result<LLMResponse>> LedgerProvider::follow(std::unique_ptr<LLMRequest> request, std::unique_ptr<Result<StepBegun>> begun) {
  if (!*begun) return failed_call(std::move(begun->error()));
  StepBegun& is = **begun;
  if (is.outcome == StepBegun::Outcome::answered) return replay(std::move(is.record));
  if (is.outcome == StepBegun::Outcome::begun) return perform(std::move(request), is.record);
  return failed_call({.code = ErrorCode::budget_exhausted,
                      .message = std::move(is.refusal),
                      .where = to_string(request->caller.attempt),
                      .hint = "raise it with `resume --add-budget`"});
}

namespace {
std::string ticket_of(const StepRecord& record) {
  const auto body = core::read_json<StepBody>(record.response);
  // A later try that was sent without one has left the word of an earlier try standing.
  if (record.status != StepStatus::sent || !body || !body->ticket || body->ticket->of_try != record.tries) return {};
  return body->ticket->text;
}
}  // namespace

task<Result<bool>> LedgerProvider::holds_ticket(const StepBegin& step) {
  auto steps = co_await ports_.states.load_steps(step.id.attempt);
  if (!steps) co_return fail(steps.error());
  co_return std::ranges::any_of(*steps, [&](const StepRecord& record) {
    return record.id == step.id && !record.set_aside && record.request_digest == step.request_digest && !ticket_of(record).empty();
  });
}

StepFinish LedgerProvider::finish_of(const StepId& id, int try_number, StepStatus status) const {
  return {.id = id, .try_number = try_number, .status = status, .usage = {}, .response = {}, .tree = {}, .epoch = account_.epoch};
}

// It may be called after the attempt is gone, so it holds all it needs.
std::function<task<Result<void>>(std::string)> LedgerProvider::ticket_keeper(const StepRecord& record,
                                                                             std::vector<std::string> notes) const {
  StepFinish word = finish_of(record.id, record.tries, StepStatus::sent);
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
/// The answer could not be recorded: asking again would pay again, so the attempt is suspended until the store takes writes.
[[gnu::noinline]] void lose(Result<LLMResponse>& answer, Error& cause) {
  Error error{.code = cause.code, .message = "a model's answer could not be recorded", .where = std::string(kUnrecordedAnswer)};
  error.cause = std::make_shared<const Error>(std::move(cause));
  answer = fail(std::move(error));
}
}  // namespace

task<Result<LLMResponse>> LedgerProvider::perform(std::unique_ptr<LLMRequest> request, const StepRecord& record) {
  auto sent = std::make_unique<Sent>(Sent{
      .id = record.id, .try_number = record.tries, .reserved = Milliseconds(record.reserved.wall_ms), .at = {}, .notes = notes_of(record)});
  if (account_.waits) {
    request->ticket = ticket_of(record);
    request->keep_ticket = ticket_keeper(record, sent->notes);
  }
  if (ports_.notes != nullptr) ports_.notes->stand(sent->id, sent->notes);
  crash_point("llm.before_send");
  sent->at = ports_.clock.steady_now();
  auto call = bounded(hand_on(ports_.inner, std::move(request)), sent->reserved);
  return settled(std::move(sent), std::move(call));
}

task<Result<LLMResponse>> LedgerProvider::settled(std::unique_ptr<Sent> sent, task<Result<LLMResponse>> call) {
  auto answer = co_await std::move(call).boxed();
  if (!*answer && answer->error().where == kLeftWaiting) co_return answer;
  crash_point("llm.after_answer");
  auto ending = recorded(std::move(sent), std::move(answer));
  auto ended = co_await std::move(ending).boxed();
  co_return ended;
}

task<Result<LLMResponse>> LedgerProvider::recorded(std::unique_ptr<Sent> sent, Answer answer) {
  auto finish = ending(*sent, *answer);
  bool lost = false;
  if (*answer && finish->response.size() > kInlineBytesMax) {
    auto storing = runtime::shielded(store_apart(*sent, **answer, *finish));
    if (auto stored = co_await std::move(storing); !stored) {
      lost = true;  // its price is not: nothing stays reserved
      lose(*answer, stored.error());
      finish = unknown(*sent);
    }
  }
  auto settling = runtime::shielded(settle(std::move(finish)));
  if (auto settled = co_await std::move(settling); !settled && !lost) lose(*answer, settled.error());
  co_return answer;
}

std::unique_ptr<StepFinish> LedgerProvider::unknown(const Sent& sent) const {
  return std::make_unique<StepFinish>(finish_of(sent.id, sent.try_number, StepStatus::unknown));
}

std::unique_ptr<StepFinish> LedgerProvider::ending(Sent& sent, Result<LLMResponse>& answer) const {
  const auto took = std::chrono::duration_cast<Milliseconds>(ports_.clock.steady_now() - sent.at);
  auto finish = std::make_unique<StepFinish>(finish_of(sent.id, sent.try_number, StepStatus::answered));
  if (ports_.notes != nullptr)
    if (auto note = ports_.notes->take_note(sent.id); !note.empty()) sent.notes.push_back(std::move(note));
  StepBody body{.answer = {}, .answer_artifact = {}, .error = {}, .notes = sent.notes, .ticket = {}};
  if (!answer) {
    finish->status = settled_status(answer.error());
    body.error = answer.error();
    finish->response = core::write_json(body);
    return finish;
  }
  if (answer->usage.cached_calls == 0) {
    answer->usage.calls = 1;
    if (account_.price) answer->usage.usd_micros = cost(*account_.price, *answer);
  }
  finish->usage = answer->usage;
  finish->usage.wall_ms = std::min(took, sent.reserved).count();
  body.answer = std::move(*answer);
  finish->response = core::write_json(body);
  *answer = std::move(*body.answer);
  return finish;
}

// A large body is durable before the step that refers to it.
task<Result<void>> LedgerProvider::store_apart(const Sent& sent, const LLMResponse& answer, StepFinish& finish) {
  const AttemptId& attempt = sent.id.attempt;
  ArtifactRecord record{.workflow = attempt.workflow,
                        .task = attempt.task,
                        .agent = account_.agent,
                        .round = attempt.round,
                        .attempt = attempt.attempt,
                        .type = "answer",
                        .name = "answer-" + sent.id.ordinal,
                        .digest = {},
                        .size = 0,
                        .at = ports_.clock.now()};
  ArtifactStore& artifacts = ports_.artifacts;
  const std::string json = core::write_json(answer);
  auto saved = co_await runtime::persist(ports_.clock, [&artifacts, record, json] { return artifacts.save(record, json); });
  if (!saved) co_return fail(saved.error());
  finish.response =
      core::write_json(StepBody{.answer = {}, .answer_artifact = saved->digest, .error = {}, .notes = sent.notes, .ticket = {}});
  co_return Result<void>{};
}

task<Result<void>> LedgerProvider::settle(std::unique_ptr<StepFinish> finish) {
  return runtime::persist(ports_.clock, [&states = ports_.states, finish = std::move(finish)] { return states.finish_step(*finish); });
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
