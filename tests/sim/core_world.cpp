#include "tests/sim/core_world.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "core/fork.hpp"
#include "tests/sim/state_scan.hpp"

namespace conductorai::core {
namespace {

constexpr int kTroubleSteps = 70;
constexpr int kHealingSteps = 3000;

std::map<TaskId, TaskForm> forms_of(const WorkflowState& state) {
  std::map<TaskId, TaskForm> forms;
  for (const auto& [id, task] : state.tasks) forms[id] = form_of(task.machine);
  return forms;
}

}  // namespace

World::World(std::uint64_t seed, Coverage& coverage)
    : chance_(seed),
      coverage_(coverage),
      initial_(initial_state(WorkflowId("wf-1"), std::make_shared<const WorkflowDefinition>(random_definition(chance_)))),
      state_(initial_),
      watched_(initial_) {
  context_.now = Timestamp(Milliseconds(1'000'000));
}

std::string World::run() {
  give(StartWorkflow{{.name = "random", .branch = "b", .base_commit = "base", .owner = "1@sim"}});
  trouble();
  heal();
  if (error_.empty()) crash();  // what is on disk is what was lived
  coverage_.ends.insert(status(state_));
  if (error_.empty() && chance_.percent(20)) fork();
  return error_;
}

/// Another workflow begins with what this one's journal says up to any event, and comes to an end as well.
void World::fork() {
  std::vector<Event> events;
  for (const std::string& row : rows_) {
    auto decoded = decode_row(row);
    if (!decoded) return wrong(to_string(decoded.error()));
    std::ranges::move(decoded->events, std::back_inserter(events));
  }
  const auto seq = static_cast<std::uint64_t>(chance_.below(static_cast<int>(events.size()))) + 1;
  auto kept = events_before(events, seq, state_.id, context_.now + std::chrono::hours(1));
  if (!kept) return;  // there is nothing before the first event
  state_ = watched_ = initial_;
  rows_.clear();
  in_flight_.clear();
  timers_.clear();
  delivered_.clear();
  recorded_.clear();
  branch_.clear();
  stopping_ = closed_ = false;
  give(ForkWorkflow{.started = std::get<WorkflowStarted>(events.front()),
                    .forked = {.workflow = WorkflowId("wf-0"), .seq = seq, .by = "sim"},
                    .kept = std::move(*kept)});
  if (rows_.empty()) return;  // refused: the other one had ended by then, or was being cancelled
  heal();
  if (error_.empty()) crash();
}

void World::trouble() {
  for (int step = 0; step < kTroubleSteps && error_.empty(); ++step) {
    context_.now += Milliseconds(chance_.below(300));
    const int dice = chance_.below(1000);
    if (status(state_) == WorkflowStatus::failed && dice < 200)
      give(RetryFailed{.by = "sim"});
    else if (dice < 40)
      crash();
    else if (dice < 110)
      deliver_stale();
    else if (dice < 140)
      give(Pause{});
    else if (dice < 146)
      give(Cancel{.by = "sim"});
    else if (dice < 190)
      give(random_resume());
    else if (dice < 240)
      fire_timer();
    else if (dice < 300)
      resolve(false);
    else if (dice < 330)
      give(RetryFailed{.by = "sim"});
    else if (dice < 350)
      lose_append(Pause{});
    else if (dice < 400)
      give(FinishCancel{});
    else if (dice < 410)
      give(RetryFailed{.task = TaskId("t" + std::to_string(chance_.below(10)))});
    else
      deliver(false);
  }
}

Resume World::random_resume() {
  Resume resume{.by = "sim", .overrides = {}};
  if (chance_.percent(20)) resume.overrides.add_budget.calls = 1;
  if (chance_.percent(10)) resume.overrides.sandbox_enabled = chance_.percent(50);
  return resume;
}

/// From here on the world does its part: everything has to come to an end.
void World::heal() {
  for (int step = 0; step < kHealingSteps && error_.empty() && !terminal(state_); ++step) {
    const WorkflowForm form = form_of(state_.machine);
    if (form == WorkflowForm::paused)
      give(Resume{});
    else if (form == WorkflowForm::cancelling)
      give(FinishCancel{});
    else if (!due().empty())
      deliver(true);
    else if (!in_flight_.empty())
      wait_for_back_off();
    else
      resolve(true);
  }
  if (error_.empty() && !terminal(state_)) wrong("healing does not settle: " + reason(state_));
  if (error_.empty() && (!closed_ || !in_flight_.empty())) wrong("an ended workflow was not closed");
}

void World::wrong(const std::string& what) {
  if (error_.empty()) error_ = what;
}

void World::give(const Command& command) {
  const std::vector<Effect> before = outstanding(state_);
  const std::uint64_t last = state_.last_seq;
  const WorkflowState untouched = chance_.percent(10) ? state_ : WorkflowState{};
  const bool compare = untouched.definition != nullptr;
  auto decided = decide_and_evolve(state_, command, context_);
  if (compare) {
    auto pure = decide(untouched, command, context_);
    if (pure.has_value() != decided.has_value() || (pure && *pure != *decided)) wrong("decide and decide_and_evolve differ");
    if (!decided && !(untouched == state_)) wrong("a rejected command left a trace");
  }
  if (!decided) return;
  if (decided->empty()) wrong("an empty row");
  log_.push_back(tags(*decided));
  rows_.push_back(encode_row({.workflow = state_.id,
                              .first_seq = last + 1,
                              .at = context_.now,
                              .epoch = 1,
                              .prev_sha256 = rows_.empty() ? "" : sha256_hex(rows_.back())},
                             *decided));
  if (state_.last_seq != last + decided->size()) wrong("the sequence has a gap");
  check_row(before, *decided);
  start(newly_outstanding(state_, *decided));
  check_state();
}

/// Decided, but the append fails: nothing of it may remain.
void World::lose_append(const Command& command) {
  WorkflowState provisional = state_;
  auto decided = decide_and_evolve(provisional, command, context_);
  if (!(fold(initial_, rows_) == state_)) wrong("after a lost append the journal folds to another state");
}

void World::crash() {
  WorkflowState folded = fold(initial_, rows_);
  if (!(folded == state_)) return wrong("the journal folds to another state (I6)");
  state_ = std::move(folded);
  in_flight_.clear();
  timers_.clear();
  stopping_ = closed_ = false;
  if (!terminal(state_)) give(ClaimWorkflow{"next@sim"});
  start(outstanding(state_));
  check_state();
}

void World::start(const std::vector<Effect>& effects) {
  if (form_of(state_.machine) != WorkflowForm::cancelling) stopping_ = false;
  for (const Effect& effect : effects) {
    if (const auto* dispatch = std::get_if<DispatchTask>(&effect))
      in_flight_.emplace(dispatch->id, dispatch->not_before.value_or(Timestamp()));
    if (const auto* move = std::get_if<MoveBranch>(&effect)) branch_ = move->head;
    if (const auto* timer = std::get_if<StartTimer>(&effect)) timers_.push_back(*timer);
    if (std::holds_alternative<StopAttempts>(effect)) stopping_ = true, in_flight_.clear();
    if (std::holds_alternative<CloseWorkflow>(effect)) closed_ = true, in_flight_.clear(), timers_.clear();
  }
  if (!terminal(state_)) closed_ = false;
}

std::vector<World::Pending> World::due() const {
  std::vector<Pending> out;
  for (const auto& [id, not_before] : in_flight_)
    if (not_before <= context_.now) out.push_back({id, not_before});
  return out;
}

void World::wait_for_back_off() {
  const auto first = std::ranges::min_element(in_flight_, {}, [](const auto& entry) { return entry.second; });
  context_.now = std::max(context_.now, first->second);
}

TaskResult World::result_of(const AttemptId& id, bool healthy) {
  TaskResult result{.id = id, .agent = AgentId("agent-01")};
  result.outputs = Object{{"n", chance_.below(3)}, {"list", Array{1, 2}}};
  result.usage.calls = 1;
  const int verdict = chance_.below(10);
  if (verdict < 6)
    result.verdict = Verdict::passed;
  else if (verdict < 8 && !healthy)
    result.verdict = Verdict::failed;
  const bool evidence = healthy || chance_.percent(97);
  if (result.verdict != Verdict::none && evidence)
    result.evidence.push_back({.kind = "exit_code", .summary = "x", .value = 0, .artifact = Digest("sha256:" + to_string(id))});
  if (result.verdict == Verdict::failed && chance_.percent(50)) {
    result.feedback = FeedbackPayload{.summary = "wrong"};
    if (chance_.percent(60)) result.feedback->target = TaskId("t" + std::to_string(chance_.below(12)));
  }
  if (healthy) return result;
  const int how = chance_.below(100);
  if (how < 15)
    result.status = ResultStatus::failed, result.error = Error{.message = "it broke"};
  else if (how < 19)
    result.status = ResultStatus::suspended;
  else if (how < 22)
    result.status = ResultStatus::cancelled;
  else if (how < 26)
    result.skipped = true, result.verdict = Verdict::none, result.feedback.reset();
  return result;
}

RecordResult World::record_of(const AttemptId& id, bool healthy) {
  TaskResult result = result_of(id, healthy);
  RecordResult record;
  if (result.status == ResultStatus::failed && chance_.percent(70)) {
    record.action = chance_.percent(85) ? ErrorAction::retry : ErrorAction::skip;
    record.retry_delay = Milliseconds(chance_.below(800));
  }
  if (result.status == ResultStatus::completed && !result.skipped && chance_.percent(40)) {
    result.commit = "c-" + to_string(id);
    if (!healthy && chance_.percent(10))
      record.conflicts = {"a.py"};
    else
      record.merged_head = "h-" + to_string(id);
  }
  record.result = std::move(result);
  return record;
}

void World::deliver(bool healthy) {
  const std::vector<Pending> ready = due();
  if (ready.empty()) return;
  const AttemptId id = ready[static_cast<std::size_t>(chance_.below(static_cast<int>(ready.size())))].id;
  const RecordResult record = record_of(id, healthy);
  const bool ends = record.result->status == ResultStatus::completed || record.result->status == ResultStatus::failed;
  in_flight_.erase(id);
  delivered_.push_back(record.result);
  const std::uint64_t last = state_.last_seq;
  give(record);
  if (ends && state_.last_seq == last) wrong("the result of a live attempt was refused: " + to_string(id));
  // An attempt that did not end is the engine's to hand over again, as after a crash or on resume.
  auto it = state_.tasks.find(id.task);
  const bool live = it != state_.tasks.end() && it->second.round == id.round && live_attempt(it->second) == id.attempt;
  if (!ends && live && (in_progress(state_) || cleaning_up(state_))) in_flight_.emplace(id, Timestamp());
}

void World::deliver_stale() {
  if (delivered_.empty()) return;
  TaskResult again = chance_.pick(delivered_);
  if (chance_.percent(30)) ++again.id.attempt;
  if (chance_.percent(30)) again.id.round += 3;
  again.status = ResultStatus::completed;
  if (in_flight_.contains(again.id)) return;
  auto it = state_.tasks.find(again.id.task);
  const bool live = it != state_.tasks.end() && it->second.round == again.id.round && live_attempt(it->second) == again.id.attempt;
  const std::uint64_t last = state_.last_seq;
  if (!live) give(RecordResult{.result = again});
  if (state_.last_seq != last) wrong("a stale result was accepted (I3): " + to_string(again.id));
}

void World::resolve(bool healthy) {
  std::vector<ApprovalId> open;
  for (const auto& [id, approval] : state_.approvals)
    if (is_open(approval)) open.push_back(id);
  if (open.empty()) return give(Resolve{});
  give(Resolve{.approval = chance_.pick(open), .approve = healthy || chance_.percent(75), .by = "sim"});
}

void World::fire_timer() {
  if (timers_.empty()) return;
  const StartTimer timer = chance_.pick(timers_);
  if (chance_.percent(70)) context_.now = std::max(context_.now, timer.at);
  std::erase(timers_, timer);
  give(timer.timer);
  if (status(state_) == WorkflowStatus::paused) timers_.push_back(timer);
}

void World::check_row(const std::vector<Effect>& before, const std::vector<Event>& events) {
  if (!state_.parked.empty()) return wrong("parked: " + state_.parked);
  if (std::string error = find_index_error(state_); !error.empty()) return wrong(error);
  if (std::string error = find_effect_error(before, newly_outstanding(state_, events), outstanding(state_)); !error.empty())
    return wrong(error);
  auto row = decode_row(rows_.back());
  if (!row) return wrong(to_string(row.error()));
  if (row->events != events) return wrong("a row reads back differently");
  // Event by event, from the state before the row: what a watcher that folds along would see.
  for (const Event& event : row->events) {
    const auto forms = forms_of(watched_);
    coverage_.workflows.insert({form_of(watched_.machine), input_of(event)});
    evolve(watched_, event, row->header.at);
    cover(event, forms);
    check_event(event);
  }
  if (!(watched_ == state_)) wrong("the row folds to another state (I6)");
}

void World::cover(const Event& event, const std::map<TaskId, TaskForm>& before) {
  for (const auto& [id, was] : before) {
    auto it = watched_.tasks.find(id);
    if (it == watched_.tasks.end() || form_of(it->second.machine) == was) continue;
    coverage_.tasks.insert({was, form_of(it->second.machine)});
    if (std::holds_alternative<RoundOpened>(event)) coverage_.reset_from.insert(was);
  }
}

void World::check_event(const Event& event) {
  const auto once = [this](const AttemptId& id, const AgentId& agent) {
    if (!recorded_.insert({id, agent.empty()}).second) wrong("an attempt was recorded twice: " + to_string(id));
  };
  if (const auto* done = std::get_if<TaskCompleted>(&event)) once(done->id, done->agent);
  if (const auto* failed = std::get_if<TaskFailed>(&event)) once(failed->id, failed->agent);
  if (const auto* gate = std::get_if<GateDecided>(&event); gate != nullptr && gate->passed) check_gate(*gate);
  const WorkflowDefinition& definition = *watched_.definition;
  for (const auto& [phase, passes] : watched_.passes)
    if (passes > definition.max_rounds) wrong("more passes of a phase than max-rounds");
  if (watched_.loops - watched_.loops_before_retry > definition.max_loops) wrong("more loops than max-loops");
}

/// I7, from the tasks themselves.
void World::check_gate(const GateDecided& gate) {
  for (const auto& [id, task] : watched_.tasks) {
    if (task.phase != gate.phase || task.round > gate.round) continue;
    const auto* done = std::get_if<task_state::Completed>(&task.machine);
    const bool judged =
        done != nullptr && done->verdict != Verdict::none && !(done->verdict == Verdict::failed && task.definition->continue_on_error);
    if (judged && task.evidence.empty()) wrong("a gate passed without the evidence of task " + id.value + " (I7)");
  }
}

void World::check_state() {
  for (const auto& [id, not_before] : in_flight_) {
    auto it = state_.tasks.find(id.task);
    if (it == state_.tasks.end() || it->second.round != id.round || live_attempt(it->second) != id.attempt)
      wrong("an attempt runs that is not live (I3): " + to_string(id));
  }
  if (terminal(state_)) return;
  const auto owed = outstanding(state_);
  const bool moves = std::ranges::any_of(
      owed, [](const Effect& e) { return std::holds_alternative<DispatchTask>(e) || std::holds_alternative<StopAttempts>(e); });
  if (!moves && reason(state_).empty()) wrong("nothing is owed and no reason is given (I9)");
  if (status(state_) != WorkflowStatus::in_progress) return;
  for (const Effect& effect : owed)
    if (const auto* dispatch = std::get_if<DispatchTask>(&effect); dispatch != nullptr && !stopping_ && !in_flight_.contains(dispatch->id))
      if (delivered_.empty() || delivered_.back().id != dispatch->id)
        wrong("an owed attempt was never announced: " + to_string(dispatch->id));
}

}  // namespace conductorai::core
