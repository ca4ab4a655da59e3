#include "orchestration/engine/workflow_run.hpp"

#include <algorithm>

#include "base/crash_point.hpp"
#include "core/codec.hpp"

namespace conductorai::orchestration {

namespace {

constexpr std::size_t kInboundATurn = 256;  // and a row: ten thousand results at once are no single row of megabytes

std::map<std::string, std::string> pick(const std::map<std::string, std::string>& environment, const std::vector<std::string>& names) {
  std::map<std::string, std::string> picked;
  for (const std::string& name : names)
    if (auto it = environment.find(name); it != environment.end()) picked.insert(*it);
  return picked;
}

}  // namespace

WorkflowRun::WorkflowRun(EnginePorts ports, const EngineOptions& options, History history, std::uint64_t epoch, Watcher watcher, Mode mode)
    : ports_(ports),
      options_(options),
      state_(std::move(history.state)),
      last_sha256_(std::move(history.last_sha256)),
      epoch_(epoch),
      repo_(std::move(history.repo)),
      watcher_(std::move(watcher)),
      mode_(mode),
      environment_(pick(options.environment, state_.definition->env)),
      scope_(ports.executor) {}

task<Result<void>> WorkflowRun::run(std::vector<Inbound> first) {
  Result<void> result = co_await turn(std::move(first));
  owed_ = {};  // what owners before this one left is owed too
  if (result) result = co_await act(core::outstanding(state_));
  while (result && !interrupted_ && !idle()) {
    auto inbound = co_await mailbox_.take(kInboundATurn, &stop_);
    if (!inbound) break;
    const std::uint64_t before = state_.last_seq;
    result = co_await turn(std::move(*inbound));
    if (result && state_.last_seq != before) result = co_await act(std::exchange(owed_, {}));
  }
  interrupt();
  co_await scope_.join();
  timers_.clear();
  co_return result;
}

void WorkflowRun::post(Inbound inbound) {
  if (inbound.inbox_id) {
    if (*inbound.inbox_id <= last_inbox_id_) return;
    last_inbox_id_ = *inbound.inbox_id;
  }
  mailbox_.push(std::move(inbound));
}

void WorkflowRun::interrupt() {
  interrupted_ = true;
  stop_.cancel();
  scope_.cancel();
  for (auto& [id, running] : attempts_) running.cancel.cancel();
}

bool WorkflowRun::idle() const {
  if (!mailbox_.empty()) return false;
  if (!attempts_.empty() || stopping_) return false;
  // Whoever applies a cancel where nobody owns the workflow cleans up, too.
  if (mode_ == Mode::apply_only && !core::cleaning_up(state_)) return true;
  if (core::terminal(state_) || core::status(state_) == WorkflowStatus::paused) return true;
  return core::waits_for_people(state_);
}

core::Context WorkflowRun::context() const {
  return {.now = ports_.clock.now(),
          .check = [this](const PolicyContext& about) { return ports_.policies.check(about); },
          .env = environment_,
          .cleanup_timeout = options_.cleanup_timeout};
}

task<Result<void>> WorkflowRun::turn(std::vector<Inbound> inbound) {
  std::vector<Event> events;
  std::vector<std::int64_t> consumed;
  std::vector<std::int64_t> refused;
  Result<void> first_rejection;
  for (Inbound& in : inbound) {
    if (auto* record = std::get_if<core::RecordResult>(&in.command); record != nullptr && !record->result->commit.empty())
      co_await merge(*record);
    auto decided = core::decide_and_evolve(state_, in.command, context());
    if (!decided && !decided.error().stale && first_rejection) first_rejection = fail(decided.error().error);
    if (in.inbox_id) {
      (decided ? consumed : refused).push_back(*in.inbox_id);
      last_inbox_id_ = std::max(last_inbox_id_, *in.inbox_id);
    }
    if (!decided) continue;
    if (events.empty())
      events = std::move(*decided);
    else
      std::ranges::move(*decided, std::back_inserter(events));
  }
  if (!refused.empty()) (void)co_await ports_.states.discard_commands(std::move(refused));
  if (events.empty()) co_return first_rejection;
  if (auto appended = co_await append(events, std::move(consumed)); !appended) co_return appended;
  owed_ = core::newly_outstanding(state_, events);
  announce(std::move(events));
  co_return Result<void>{};
}

AppendRequest WorkflowRun::append_request(const std::vector<Event>& events, std::vector<std::int64_t> consumed, Timestamp at) const {
  const core::RowHeader header{
      .workflow = state_.id, .first_seq = state_.last_seq - events.size() + 1, .at = at, .epoch = epoch_, .prev_sha256 = last_sha256_};
  return {.row = {.workflow = state_.id,
                  .first_seq = header.first_seq,
                  .count = static_cast<std::uint32_t>(events.size()),
                  .at = at,
                  .epoch = epoch_,
                  .body = core::encode_row(header, events)},
          .summary = summary(at),
          .consumed_commands = std::move(consumed)};
}

// The request goes to the store as it is; one that is tried again is made again, the same to the byte.
task<Result<void>> WorkflowRun::append(const std::vector<Event>& events, std::vector<std::int64_t> consumed) {
  const Timestamp at = ports_.clock.now();
  const bool resolves = std::ranges::any_of(events, [](const Event& event) { return std::holds_alternative<ApprovalResolved>(event); });
  Milliseconds pause = options_.append_retry;
  for (int tries = 1;; ++tries) {
    AppendRequest request = append_request(events, consumed, at);
    std::string sha256 = core::sha256_hex(request.row.body);
    crash_point("engine.before_append");
    if (resolves) crash_point("approval.before_append");
    auto appended = co_await ports_.states.append(std::move(request));
    if (appended) {
      crash_point("engine.after_append");
      last_sha256_ = std::move(sha256);
      co_return appended;
    }
    const bool passing = appended.error().code == ErrorCode::resource_exhausted || appended.error().code == ErrorCode::unavailable;
    if (!passing || tries == options_.append_tries || interrupted_) co_return appended;
    (void)co_await runtime::shielded(sleep_for(ports_.clock, pause));
    pause *= 2;
  }
}

task<void> WorkflowRun::merge(core::RecordResult& record) {
  const TaskResult& result = *record.result;
  if (result.status != ResultStatus::completed || !attempt_is_live(result.id)) co_return;
  crash_point("engine.before_merge");
  auto merged = co_await ports_.workspaces.merge(repo_, state_.head, result.commit, "Merge " + to_string(result.id), ports_.clock.now());
  if (!merged) {
    // The work is done and paid: a machine that cannot take it now pauses the workflow, anything else fails the attempt.
    const ErrorCode code = merged.error().code;
    const bool machine = code == ErrorCode::resource_exhausted || code == ErrorCode::unavailable;
    TaskResult unmerged = result;
    unmerged.status = machine ? ResultStatus::suspended : ResultStatus::failed;
    unmerged.error = merged.error();
    record.result = std::move(unmerged);
    classify(record);
  } else if (!merged->conflicts.empty()) {
    record.conflicts = std::move(merged->conflicts);
    record.action = ErrorAction::retry;
  } else {
    record.merged_head = std::move(merged->head);
  }
}

bool WorkflowRun::attempt_is_live(const AttemptId& id) const {
  auto it = state_.tasks.find(id.task);
  if (it == state_.tasks.end() || it->second.round != id.round) return false;
  const auto* live = std::get_if<core::task_state::Live>(&it->second.machine);
  return live != nullptr && live->attempt == id.attempt;
}

task<Result<void>> WorkflowRun::act(std::vector<core::Effect> effects) {
  for (const core::Effect& effect : effects) {
    if (const auto* move = std::get_if<core::MoveBranch>(&effect)) {
      crash_point("engine.before_ref_move");
      if (auto moved = co_await ports_.workspaces.move_branch(repo_, state_.branch, move->head); !moved) co_return moved;
      crash_point("engine.after_ref_move");
    } else if (std::holds_alternative<core::CloseWorkflow>(effect)) {
      co_await close_workflow();
    } else if (std::holds_alternative<core::StopAttempts>(effect)) {
      stop_attempts();
    } else if (mode_ == Mode::work || core::cleaning_up(state_)) {
      if (const auto* dispatch = std::get_if<core::DispatchTask>(&effect)) start(*dispatch);
      if (const auto* timer = std::get_if<core::StartTimer>(&effect)) start(*timer);
    }
  }
  if (core::status(state_) == WorkflowStatus::paused) call_back_waiting();
  co_return Result<void>{};
}

task<void> WorkflowRun::close_workflow() {
  crash_point("workflow.before_close");
  timers_.clear();
  if (options_.on_close) (void)co_await options_.on_close(state_.id, core::status(state_));
  (void)co_await ports_.workspaces.close_all(state_.id, repo_);
}

void WorkflowRun::start(const core::DispatchTask& dispatch) {
  auto [it, fresh] = attempts_.try_emplace(dispatch.id);
  if (!fresh) return;
  it->second.not_before = dispatch.not_before;
  scope_.spawn(attempt(*it), it->second.cancel);
}

void WorkflowRun::start(const core::StartTimer& effect) {
  timers_.push_back(ports_.clock.call_after(effect.at - ports_.clock.now(),
                                            [this, timer = effect.timer] { mailbox_.push({.command = timer, .inbox_id = {}}); }));
}

// During a pause nothing starts: what waits for its back-off or for an agent stays live and is handed over on resume.
void WorkflowRun::call_back_waiting() {
  for (auto& [id, running] : attempts_)
    if (!running.handed_over || !ports_.coordinator.waiting_reason(id).empty()) running.cancel.cancel();
}

void WorkflowRun::stop_attempts() {
  if (attempts_.empty()) {
    mailbox_.push({.command = core::FinishCancel{}, .inbox_id = {}});
    return;
  }
  stopping_ = true;
  for (auto& [id, running] : attempts_) running.cancel.cancel();
}

namespace {
task<Shared<TaskResult>> not_run(AttemptId id, ResultStatus status, Error error) {
  co_return TaskResult{.id = std::move(id), .status = status, .error = std::move(error)};
}
}  // namespace

task<Shared<TaskResult>> WorkflowRun::hand_over_later(Attempts::value_type& live) {
  auto slept = co_await sleep_for(ports_.clock, *std::exchange(live.second.not_before, std::nullopt) - ports_.clock.now());
  if (!slept) co_return co_await not_run(live.first, ResultStatus::cancelled, slept.error());
  co_return co_await hand_over(live);
}

task<Shared<TaskResult>> WorkflowRun::hand_over(Attempts::value_type& live) {
  auto& [id, running] = live;
  if (running.not_before) return hand_over_later(live);
  crash_point("engine.before_dispatch");
  auto assigned = assignment(id);
  if (!assigned) return not_run(id, ResultStatus::failed, assigned.error());
  const bool approved = state_.tasks.at(id.task).approved;
  running.handed_over = true;
  return ports_.coordinator.dispatch_task(std::move(*assigned), approved);
}

void WorkflowRun::classify(core::RecordResult& record) {
  const TaskResult& result = *record.result;
  if (result.status != ResultStatus::failed || !result.error) return;
  const TaskDefinition& task = *state_.tasks.at(result.id.task).definition;
  const auto decision = ports_.errors.handle_error(
      *result.error,
      {.agent = result.agent, .attempt = result.id.attempt, .retry = task.retry, .continue_on_error = task.continue_on_error});
  record.action = decision.action;
  record.retry_delay = decision.delay;
}

task<void> WorkflowRun::attempt(Attempts::value_type& live) {
  Shared<TaskResult> result = co_await hand_over(live);
  crash_point("engine.result_received");
  auto ended = attempts_.extract(live.first);  // lives on until this coroutine, which runs under its cancellation, has ended
  if (!interrupted_) record(std::move(result));
}

void WorkflowRun::record(Shared<TaskResult> result) {
  core::RecordResult record{.result = std::move(result)};
  classify(record);
  mailbox_.push({.command = std::move(record), .inbox_id = {}});
  if (stopping_ && attempts_.empty()) {
    stopping_ = false;
    mailbox_.push({.command = core::FinishCancel{}, .inbox_id = {}});
  }
}

Result<Shared<TaskAssignment>> WorkflowRun::assignment(const AttemptId& id) const {
  auto parts = core::assignment_parts(state_, id.task, environment_);
  if (!parts) return fail(parts.error());
  const core::TaskRecord& task = state_.tasks.at(id.task);
  const auto* live = std::get_if<core::task_state::Live>(&task.machine);
  return TaskAssignment{.id = id,
                        .epoch = epoch_,
                        .phase = task.phase,
                        .task = std::move(parts->task),
                        .workflow = state_.definition,
                        .foreach_item = task.foreach_item,
                        .findings = std::move(parts->findings),
                        .upstream = std::move(parts->upstream),
                        .base = live != nullptr ? live->base : state_.head,
                        .workflow_base = state_.base_commit,
                        .limits = core::budget_limits(state_, *task.definition, options_.day_budget)};
}

void WorkflowRun::announce(std::vector<Event> events) {
  for (const Event& event : events) {
    if (std::holds_alternative<GateDecided>(event)) crash_point("gate.after_append");
    if (const auto* opened = std::get_if<RoundOpened>(&event))
      (void)ports_.bus.publish({.channel = "conductor:broadcast", .from = "engine", .body = opened->feedback});
  }
  if (!watcher_) return;
  const core::RowHeader header{
      .workflow = state_.id, .first_seq = state_.last_seq - events.size() + 1, .at = state_.updated_at, .epoch = epoch_};
  for (const EventRecord& record : event_records({.header = header, .events = std::move(events)})) watcher_(record);
}

WorkflowSummary WorkflowRun::summary(Timestamp at) const {
  return {.id = state_.id,
          .name = state_.definition->name,
          .status = core::waits_for_people(state_) ? WorkflowStatus::paused : core::status(state_),
          .phase = state_.phase,
          .round = state_.round,
          .reason = core::reason(state_),
          .created_at = state_.started_at,
          .updated_at = at,
          .owner = options_.owner,
          .last_seq = state_.last_seq};
}

}  // namespace conductorai::orchestration
