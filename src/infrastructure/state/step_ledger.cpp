#include "infrastructure/state/step_ledger.hpp"

#include <algorithm>

#include "core/budget.hpp"
#include "core/ordinal.hpp"

namespace conductorai::infrastructure {

using core::minus;

namespace {

bool negative(const Amounts& a) {
  return a.usd_micros < 0 || a.tokens < 0 || a.calls < 0 || a.wall_ms < 0;
}

Amounts cost_of(const Usage& usage) {
  return {usage.usd_micros, usage.input_tokens + usage.output_tokens, usage.calls, usage.wall_ms};
}

/// What a hidden outcome counts as. The split of the tokens is unknown too: they stand as input.
Usage unknown_usage(const Amounts& charged) {
  return {.calls = charged.calls,
          .input_tokens = charged.tokens,
          .output_tokens = 0,
          .cached_calls = 0,
          .unknown_calls = charged.calls,
          .usd_micros = charged.usd_micros,
          .wall_ms = charged.wall_ms};
}

Usage without(Usage usage, const Usage& other) {
  usage.calls -= other.calls;
  usage.input_tokens -= other.input_tokens;
  usage.output_tokens -= other.output_tokens;
  usage.cached_calls -= other.cached_calls;
  usage.unknown_calls -= other.unknown_calls;
  usage.usd_micros -= other.usd_micros;
  usage.wall_ms -= other.wall_ms;
  return usage;
}

std::vector<std::string> keys_of(const std::vector<BudgetScope>& scopes) {
  std::vector<std::string> keys;
  for (const BudgetScope& scope : scopes)
    if (std::ranges::find(keys, scope.key) == keys.end()) keys.push_back(scope.key);
  return keys;
}

void add_use(StepTable& table, const std::vector<std::string>& scopes, const Amounts& spent, const Amounts& reserved) {
  for (const std::string& scope : scopes) table.add_use(scope, spent, reserved);
}

/// The current try ends hidden: its reservation becomes a charge. Sums stay as they are, so I5 does too.
void charge_as_unknown(StepTable& table, StoredStep& step) {
  const Amounts charged = step.record.reserved;
  add_use(table, step.scopes, charged, minus({}, charged));
  step.record.usage += unknown_usage(charged);
  step.record.status = StepStatus::unknown;
  step.record.reserved = {};
  table.put_earlier_try(step.no, step.record.tries, {charged, step.scopes, false});
}

void set_aside_from(StepTable& table, const StepId& id) {
  for (StoredStep& step : table.all_of(id.attempt)) {
    if (step.record.set_aside || core::ordinal_before(step.record.id.ordinal, id.ordinal)) continue;
    if (step.record.status == StepStatus::sent) charge_as_unknown(table, step);
    step.record.set_aside = true;
    table.update(step);
  }
}

Result<void> check(const StepBegin& step, std::uint64_t epoch) {
  if (negative(step.worst_case)) return fail(ErrorCode::invalid_argument, "a step asks for less than nothing", to_string(step.id.attempt));
  if (step.epoch < epoch) return fail(ErrorCode::fenced, "another owner has taken over this workflow", step.id.attempt.workflow.value);
  return {};
}

void begin_try(StoredStep& stored, const StepBegin& step, int number) {
  stored.record.id = step.id;
  stored.record.tries = number;
  stored.record.kind = step.kind;
  stored.record.request_digest = step.request_digest;
  stored.record.status = StepStatus::sent;
  stored.record.reserved = step.worst_case;
  stored.record.epoch = step.epoch;
  stored.scopes = keys_of(step.scopes);
}

/// What the next owner is to find of a try that is still out.
Result<void> keep_word(StepTable& table, StoredStep& step, const StepFinish& finish) {
  if (finish.epoch < step.record.epoch || finish.epoch < table.epoch_of(finish.id.attempt.workflow))
    return fail(ErrorCode::fenced, "another owner has taken over this step", finish.id.attempt.workflow.value);
  step.record.response = finish.response;
  table.update(step);
  return {};
}

/// A late finish of a try that was charged as unknown: the charge becomes the cost, nothing else changes.
void settle_late(StepTable& table, StoredStep& step, int number, EarlierTry earlier, const StepFinish& finish) {
  if (earlier.settled || finish.status == StepStatus::unknown) return;
  const Usage usage = finish.status == StepStatus::answered ? finish.usage : Usage{};
  add_use(table, earlier.scopes, minus(cost_of(usage), earlier.charged), {});
  step.record.usage = without(step.record.usage, unknown_usage(earlier.charged));
  step.record.usage += usage;
  earlier.settled = true;
  table.put_earlier_try(step.no, number, earlier);
  table.update(step);
}

void settle(StepTable& table, StoredStep& step, const StepFinish& finish) {
  const Amounts reserved = step.record.reserved;
  if (finish.status == StepStatus::unknown) {
    if (finish.epoch >= step.record.epoch) step.record.response = finish.response;
    charge_as_unknown(table, step);
  } else if (finish.epoch < step.record.epoch) {  // not the one who sent it: its cost counts, its words do not
    charge_as_unknown(table, step);
    settle_late(table, step, finish.try_number, *table.earlier_try(step.no, finish.try_number), finish);
  } else {
    const bool answered = finish.status == StepStatus::answered;
    add_use(table, step.scopes, answered ? cost_of(finish.usage) : Amounts{}, minus({}, reserved));
    step.record.status = finish.status;
    step.record.reserved = {};
    if (answered) step.record.usage += finish.usage;
    step.record.response = finish.response;
    step.record.tree = finish.tree;
  }
  table.update(step);
}

/// By the first scope that is used up, else by the first whose rest is held.
std::optional<StepBegun> refusal(StepTable& table, const StepBegin& step) {
  std::optional<StepBegun> held;
  for (const BudgetScope& scope : step.scopes) {
    if (!scope.limited()) continue;  // how much of it is used need not be looked up
    auto refused = core::budget_refusal(scope, table.use_of(scope.key), step.worst_case);
    if (!refused || (refused->held && held)) continue;
    held = StepBegun{StepBegun::Outcome::refused, {}, std::move(refused->text), refused->held ? scope.key : std::string()};
    if (!refused->held) break;
  }
  return held;
}

}  // namespace

Result<StepBegun> begin_step(StepTable& table, const StepBegin& step) {
  if (auto checked = check(step, table.epoch_of(step.id.attempt.workflow)); !checked) return fail(checked.error());
  std::optional<StoredStep> stored;
  // Tries are numbered over all records of the ordinal, so that a late finish names one of them for good.
  int number = 1;
  for (StoredStep& at : table.all_at(step.id)) {
    number = at.record.tries + 1;
    if (!at.record.set_aside) stored = std::move(at);
  }
  bool diverged = step.diverged;
  if (stored && !diverged && stored->record.status == StepStatus::answered) {
    if (stored->record.request_digest == step.request_digest)
      return StepBegun{StepBegun::Outcome::answered, std::move(stored->record), {}, {}};
    diverged = true;  // an answer to another question must never be used
  }
  if (stored && step.epoch < stored->record.epoch)
    return fail(ErrorCode::fenced, "another owner has begun this step", step.id.attempt.workflow.value);
  if (step.take_up && stored && !diverged && stored->record.status == StepStatus::sent &&
      stored->record.request_digest == step.request_digest) {
    stored->record.epoch = step.epoch;
    table.update(*stored);
    return StepBegun{StepBegun::Outcome::begun, std::move(stored->record), {}, {}};
  }
  if (auto refused = refusal(table, step)) {
    if (stored) refused->record = std::move(stored->record);
    return *std::move(refused);
  }
  if (diverged) {
    set_aside_from(table, step.id);
    stored.reset();
  }
  add_use(table, keys_of(step.scopes), {}, step.worst_case);
  if (!stored) {
    StoredStep fresh;
    begin_try(fresh, step, number);
    table.insert(fresh);
    return StepBegun{StepBegun::Outcome::begun, std::move(fresh.record), {}, {}};
  }
  if (stored->record.status == StepStatus::sent) charge_as_unknown(table, *stored);
  begin_try(*stored, step, number);
  table.update(*stored);
  return StepBegun{StepBegun::Outcome::begun, std::move(stored->record), {}, {}};
}

void charge_hidden(StepTable& table, const WorkflowId& workflow) {
  for (StoredStep& step : table.sent_of(workflow)) {
    charge_as_unknown(table, step);
    table.update(step);
  }
}

Result<void> finish_step(StepTable& table, const StepFinish& finish) {
  const std::string where = to_string(finish.id.attempt) + "/" + finish.id.ordinal;
  if (negative(cost_of(finish.usage))) return fail(ErrorCode::invalid_argument, "a step costs less than nothing", where);
  for (StoredStep& step : table.all_at(finish.id)) {
    if (finish.try_number > step.record.tries) continue;  // of a later record of this ordinal
    if (finish.try_number == step.record.tries && step.record.status == StepStatus::sent) {
      if (finish.status == StepStatus::sent) return keep_word(table, step, finish);
      settle(table, step, finish);
      return {};
    }
    if (finish.status == StepStatus::sent) return fail(ErrorCode::conflict, "this try has ended", where);
    if (auto earlier = table.earlier_try(step.no, finish.try_number))
      settle_late(table, step, finish.try_number, std::move(*earlier), finish);
    return {};
  }
  return fail(ErrorCode::not_found, "no such step or try", where);
}

}  // namespace conductorai::infrastructure
