#include "infrastructure/state/sqlite_steps.hpp"

#include "core/budget.hpp"

namespace conductorai::infrastructure {

namespace {

#define CONDUCTORAI_STEP                                                                                                \
  "SELECT no, workflow, task, round, attempt, ordinal, set_aside, tries, kind, request_digest, status, epoch, scopes, " \
  "reserved_usd_micros, reserved_tokens, reserved_calls, reserved_wall_ms, calls, input_tokens, output_tokens, "        \
  "cached_calls, unknown_calls, usd_micros, wall_ms, response, tree FROM steps "

StepStatus status_from(const std::string& name) {
  for (StepStatus status : {StepStatus::sent, StepStatus::answered, StepStatus::failed, StepStatus::unknown})
    if (to_string(status) == name) return status;
  throw SqliteFailure(fail(ErrorCode::data_corrupted, "the state database holds the unknown step status '" + name + "'").error());
}

std::string joined(const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) (text += scope) += '\n';
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> scopes;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    scopes.push_back(text.substr(at, end - at));
  return scopes;
}

Amounts amounts_at(const Query& row, int column) {
  return {row.integer(column), row.integer(column + 1), row.integer(column + 2), row.integer(column + 3)};
}

StoredStep read_step(const Query& row) {
  StoredStep step;
  step.no = row.integer(0);
  StepRecord& record = step.record;
  record.id = {{WorkflowId(row.text(1)), TaskId(row.text(2)), static_cast<int>(row.integer(3)), static_cast<int>(row.integer(4))},
               row.text(5)};
  record.set_aside = row.integer(6) != 0;
  record.tries = static_cast<int>(row.integer(7));
  record.kind = row.text(8);
  record.request_digest = row.text(9);
  record.status = status_from(row.text(10));
  record.epoch = static_cast<std::uint64_t>(row.integer(11));
  step.scopes = split(row.text(12));
  record.reserved = amounts_at(row, 13);
  record.usage = {row.integer(17), row.integer(18), row.integer(19), row.integer(20), row.integer(21), row.integer(22), row.integer(23)};
  record.response = row.text(24);
  record.tree = row.text(25);
  return step;
}

std::vector<StoredStep> steps_of(Connection& db, const AttemptId& attempt) {
  Query query = db.query(CONDUCTORAI_STEP "WHERE workflow = ?1 AND task = ?2 AND round = ?3 AND attempt = ?4 ORDER BY no", attempt.workflow,
                         attempt.task, attempt.round, attempt.attempt);
  std::vector<StoredStep> steps;
  while (query.next()) steps.push_back(read_step(query));
  return steps;
}

}  // namespace

void BudgetSums::add(const std::string& scope, const Amounts& spent, const Amounts& reserved) {
  BudgetUse& sum = added_[scope];
  sum = {core::plus(sum.spent, spent), core::plus(sum.reserved, reserved)};
}

BudgetUse BudgetSums::on_top_of(BudgetUse stored, const std::string& scope) const {
  const auto found = added_.find(scope);
  if (found == added_.end()) return stored;
  return {core::plus(stored.spent, found->second.spent), core::plus(stored.reserved, found->second.reserved)};
}

void BudgetSums::write(Connection& db) {
  for (const auto& [scope, added] : added_) {
    const auto& [spent, reserved] = added;
    db.run(
        "INSERT INTO budgets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (scope) DO UPDATE SET "
        "spent_usd_micros = spent_usd_micros + ?2, spent_tokens = spent_tokens + ?3, spent_calls = spent_calls + ?4, "
        "spent_wall_ms = spent_wall_ms + ?5, reserved_usd_micros = reserved_usd_micros + ?6, reserved_tokens = reserved_tokens + ?7, "
        "reserved_calls = reserved_calls + ?8, reserved_wall_ms = reserved_wall_ms + ?9",
        scope, spent.usd_micros, spent.tokens, spent.calls, spent.wall_ms, reserved.usd_micros, reserved.tokens, reserved.calls,
        reserved.wall_ms);
  }
  added_.clear();
}

std::vector<StoredStep> SqliteSteps::all_at(const StepId& id) {
  Query query = db_.query(CONDUCTORAI_STEP "WHERE workflow = ?1 AND task = ?2 AND round = ?3 AND attempt = ?4 AND ordinal = ?5 ORDER BY no",
                          id.attempt.workflow, id.attempt.task, id.attempt.round, id.attempt.attempt, id.ordinal);
  std::vector<StoredStep> steps;
  while (query.next()) steps.push_back(read_step(query));
  return steps;
}

std::vector<StoredStep> SqliteSteps::all_of(const AttemptId& attempt) {
  return steps_of(db_, attempt);
}

std::vector<StoredStep> SqliteSteps::sent_of(const WorkflowId& workflow) {
  Query query = db_.query(CONDUCTORAI_STEP "WHERE workflow = ?1 AND status = 'sent' ORDER BY no", workflow);
  std::vector<StoredStep> steps;
  while (query.next()) steps.push_back(read_step(query));
  return steps;
}

void SqliteSteps::insert(const StoredStep& step) {
  const StepRecord& r = step.record;
  const std::string scopes = joined(step.scopes);
  db_.run(
      "INSERT INTO steps (workflow, task, round, attempt, ordinal, set_aside, tries, kind, request_digest, status, epoch, scopes, "
      "reserved_usd_micros, reserved_tokens, reserved_calls, reserved_wall_ms, calls, input_tokens, output_tokens, cached_calls, "
      "unknown_calls, usd_micros, wall_ms, response, tree) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
      r.id.attempt.workflow, r.id.attempt.task, r.id.attempt.round, r.id.attempt.attempt, r.id.ordinal, r.set_aside, r.tries, r.kind,
      r.request_digest, to_string(r.status), r.epoch, scopes, r.reserved.usd_micros, r.reserved.tokens, r.reserved.calls,
      r.reserved.wall_ms, r.usage.calls, r.usage.input_tokens, r.usage.output_tokens, r.usage.cached_calls, r.usage.unknown_calls,
      r.usage.usd_micros, r.usage.wall_ms, r.response, r.tree);
}

void SqliteSteps::update(const StoredStep& step) {
  const StepRecord& r = step.record;
  const std::string scopes = joined(step.scopes);
  db_.run(
      "UPDATE steps SET set_aside = ?2, tries = ?3, kind = ?4, request_digest = ?5, status = ?6, epoch = ?7, scopes = ?8, "
      "reserved_usd_micros = ?9, reserved_tokens = ?10, reserved_calls = ?11, reserved_wall_ms = ?12, calls = ?13, input_tokens = ?14, "
      "output_tokens = ?15, cached_calls = ?16, unknown_calls = ?17, usd_micros = ?18, wall_ms = ?19, response = ?20, tree = ?21 "
      "WHERE no = ?1",
      step.no, r.set_aside, r.tries, r.kind, r.request_digest, to_string(r.status), r.epoch, scopes, r.reserved.usd_micros,
      r.reserved.tokens, r.reserved.calls, r.reserved.wall_ms, r.usage.calls, r.usage.input_tokens, r.usage.output_tokens,
      r.usage.cached_calls, r.usage.unknown_calls, r.usage.usd_micros, r.usage.wall_ms, r.response, r.tree);
}

std::optional<EarlierTry> SqliteSteps::earlier_try(std::int64_t step, int number) {
  Query query = db_.query("SELECT usd_micros, tokens, calls, wall_ms, scopes, settled FROM earlier_tries WHERE step = ?1 AND number = ?2",
                          step, number);
  if (!query.next()) return std::nullopt;
  return EarlierTry{amounts_at(query, 0), split(query.text(4)), query.integer(5) != 0};
}

void SqliteSteps::put_earlier_try(std::int64_t step, int number, const EarlierTry& earlier) {
  const std::string scopes = joined(earlier.scopes);
  db_.run(
      "INSERT OR REPLACE INTO earlier_tries (step, number, scopes, usd_micros, tokens, calls, wall_ms, settled) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      step, number, scopes, earlier.charged.usd_micros, earlier.charged.tokens, earlier.charged.calls, earlier.charged.wall_ms,
      earlier.settled);
}

BudgetUse SqliteSteps::use_of(const std::string& scope) {
  return sums_.on_top_of(stored_use(db_, scope), scope);
}

void SqliteSteps::add_use(const std::string& scope, const Amounts& spent, const Amounts& reserved) {
  sums_.add(scope, spent, reserved);
}

std::uint64_t SqliteSteps::epoch_of(const WorkflowId& workflow) {
  Query query = db_.query("SELECT epoch FROM workflows WHERE id = ?1", workflow);
  return query.next() ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

std::vector<StepRecord> step_records(Connection& db, const AttemptId& attempt) {
  std::vector<StepRecord> found;
  for (StoredStep& step : steps_of(db, attempt)) found.push_back(std::move(step.record));
  return found;
}

std::vector<StepRecord> step_records(Connection& db, const WorkflowId& workflow) {
  Query query = db.query(CONDUCTORAI_STEP "WHERE workflow = ?1 ORDER BY no", workflow);
  std::vector<StepRecord> found;
  while (query.next()) found.push_back(read_step(query).record);
  return found;
}

BudgetUse stored_use(Connection& db, const std::string& scope) {
  Query query = db.query(
      "SELECT spent_usd_micros, spent_tokens, spent_calls, spent_wall_ms, reserved_usd_micros, reserved_tokens, reserved_calls, "
      "reserved_wall_ms FROM budgets WHERE scope = ?1",
      scope);
  if (!query.next()) return {};
  return {amounts_at(query, 0), amounts_at(query, 4)};
}

#undef CONDUCTORAI_STEP

}  // namespace conductorai::infrastructure
