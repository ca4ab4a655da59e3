#include "orchestration/coordinator/agent_coordinator.hpp"

#include "orchestration/coordinator/coordinator_impl.hpp"
#include "runtime/scope.hpp"

namespace conductorai::orchestration {

namespace {

constexpr std::string_view kResults = "conductor:results";
constexpr std::string_view kHeartbeats = "conductor:heartbeat";
constexpr std::string_view kName = "conductor:coordinator";
constexpr std::chrono::seconds kRecheck{1};

std::string join(const std::vector<std::string>& reasons) {
  std::string text;
  for (const auto& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

Shared<TaskResult> without_letter(TaskResult result, const Error& error) {
  result.error->message += "; its dead letter could not be written: " + to_string(error);
  return result;
}

/// Waits to the end whatever is cancelled; run it in an environment without cancellation.
task<void> rest(Dispatch& dispatch) {
  runtime::Suspension stopped;
  dispatch.stopped = &stopped;
  if (dispatch.stage != Dispatch::Stage::ended) co_await stopped.over();
  dispatch.stopped = nullptr;
}

/// Writes its dead letter; run it where there is one.
task<void> put_letter(StateManager& states, Dispatch& dispatch) {
  auto written = co_await runtime::shielded(states.put_dead_letter(std::move(*dispatch.letter)));
  if (!written) dispatch.result = without_letter(**dispatch.result, written.error());
}

}  // namespace

AgentCoordinator::Impl::Impl(Executor& e, Clock& c, MessageBus& b, StateManager& s, PolicyEngine& p, ErrorHandler& h, CoordinatorOptions o)
    : executor(e),
      clock(c),
      bus(b),
      states(s),
      policies(p),
      errors(h),
      options(o),
      registry(c, h, [this](Agent&) { pump(); }),
      sync(
          e, c, s, o.sync_interval, [this] { return take_changed(); },
          [this](const std::vector<AgentState>& again) {
            for (const auto& state : again)
              if (Agent* agent = registry.find(state.id)) changed(*agent);
          }) {
  subscriptions.push_back(bus.subscribe(std::string(kResults), [this](MessagePtr message) {
    if (const auto* result = std::get_if<Shared<TaskResult>>(&message->body)) take_result(*result);
    return Result<void>{};
  }));
  subscriptions.push_back(bus.subscribe(std::string(kHeartbeats), [this](MessagePtr message) {
    if (const auto* heartbeat = std::get_if<Heartbeat>(&message->body)) take_heartbeat(*heartbeat);
    return Result<void>{};
  }));
}

task<Shared<TaskResult>> AgentCoordinator::Impl::dispatch(Impl& self, Shared<TaskAssignment> assignment, bool approved) {
  const TaskEnvironment environment = co_await current_environment();
  Dispatch dispatch(std::move(assignment), approved);
  if (environment.cancelled()) co_return shared_cancelled_result(dispatch);
  self.admit(dispatch);
  co_await dispatch.ended.over();
  if (dispatch.stage != Dispatch::Stage::ended) {
    self.cancel(dispatch);
    co_await rest(dispatch).in({&self.executor, nullptr});
  }
  if (dispatch.letter) co_await put_letter(self.states, dispatch);
  co_return std::move(*dispatch.result);
}

task<void> AgentCoordinator::Impl::dispatch_into(Impl& self, Shared<TaskAssignment> assignment, Shared<TaskResult>& out) {
  out = co_await dispatch(self, std::move(assignment), false);
}

task<std::vector<Shared<TaskResult>>> AgentCoordinator::Impl::dispatch_batch(Impl& self, std::vector<Shared<TaskAssignment>> assignments) {
  const TaskEnvironment environment = co_await current_environment();
  std::vector<Shared<TaskResult>> results(assignments.size());
  runtime::TaskScope scope(self.executor, environment.cancel);
  for (std::size_t n = 0; n < assignments.size(); ++n) scope.spawn(dispatch_into(self, std::move(assignments[n]), results[n]));
  co_await scope.join();
  co_return results;
}

void AgentCoordinator::Impl::admit(Dispatch& dispatch) {
  dispatch.since = clock.steady_now();
  if (!live.insert(&dispatch).second)
    return refuse(dispatch,
                  {.code = ErrorCode::conflict, .message = "this attempt is dispatched already", .where = to_string(dispatch.id)});
  const AgentType& type = dispatch.assignment->task->agent;
  TypePool* pool = registry.pool(type);
  if (pool == nullptr)
    return refuse(dispatch, {.code = ErrorCode::unavailable,
                             .message = "no agent of type '" + type.str() + "' is registered",
                             .where = to_string(dispatch.id),
                             .retry = Retry::backoff});
  Lane& lane = line.lane(dispatch.id.workflow, *pool);
  const PolicyDecision decision = check(dispatch, lane);
  if (decision.verdict >= PolicyVerdict::needs_approval) {
    refuse(dispatch, {.code = ErrorCode::permission_denied, .message = join(decision.reasons), .where = to_string(dispatch.id)});
    return line.forget_if_idle(*lane.workflow);
  }
  const bool first = lane.waiting.empty() && !lane.blocked && has_slot();
  if (first && decision.verdict == PolicyVerdict::allow) {
    if (Agent* agent = registry.choose(*pool)) {
      start(dispatch, *agent, lane);
      if (dispatch.stage == Dispatch::Stage::ended) pump();
      return;
    }
  }
  line.enter(dispatch, lane);
  // Where an agent and a slot are there and the policy still says wait, only the policy can be the reason.
  if (first && decision.verdict == PolicyVerdict::wait && !pool->free.empty()) block(lane);
  watch_breakers(*pool);
}

void AgentCoordinator::Impl::pump() {
  while (has_slot()) {
    TypePool* pool = most_urgent_pool();
    if (pool == nullptr) return;
    Lane& lane = **pool->ready.begin();
    Dispatch& next = **lane.waiting.begin();
    const PolicyDecision decision = check(next, lane);
    if (decision.verdict == PolicyVerdict::wait) {
      block(lane);
    } else if (decision.verdict == PolicyVerdict::allow) {
      Agent* agent = registry.choose(*pool);
      if (agent == nullptr) continue;
      line.leave(next);
      start(next, *agent, lane);
    } else {
      refuse(next, {.code = ErrorCode::permission_denied, .message = join(decision.reasons), .where = to_string(next.id)});
    }
  }
}

/// Among the few agent types, the one whose most urgent waiting attempt goes first and has an agent.
TypePool* AgentCoordinator::Impl::most_urgent_pool() const {
  if (line.waiting() == 0) return nullptr;
  TypePool* best = nullptr;
  for (const auto& [type, pool] : registry.pools()) {
    if (pool->free.empty() || pool->ready.empty()) continue;
    if (best == nullptr || MoreUrgentHead{}(*pool->ready.begin(), *best->ready.begin())) best = pool.get();
  }
  return best;
}

void AgentCoordinator::Impl::start(Dispatch& dispatch, Agent& agent, Lane& lane) {
  line.start(dispatch, lane);
  registry.take(agent, dispatch);
  changed(agent);
  dispatch.agent = &agent;
  dispatch.stage = Dispatch::Stage::running;
  dispatch.since = clock.steady_now();
  if (const auto timeout = dispatch.assignment->task->timeout) {
    const auto text = "task '" + dispatch.id.task.value + "' took longer than its timeout of " + std::to_string(timeout->count()) + " ms";
    dispatch.timer = clock.call_after(*timeout, [this, &dispatch, text] {
      dispatch.timed_out = std::make_unique<Error>(
          Error{.code = ErrorCode::timeout, .message = text, .where = to_string(dispatch.id), .retry = Retry::backoff});
      time_out(dispatch);
    });
  }
  ++counters.handed_over;
  auto sent = bus.publish({.channel = agent.channel,
                           .from = std::string(kName),
                           .priority = dispatch.priority,
                           .must_deliver = true,
                           .body = dispatch.assignment});
  if (sent) return;
  Error error{.code = ErrorCode::unavailable,
              .message = "agent '" + agent.id.value + "' could not be reached",
              .where = to_string(dispatch.id),
              .retry = Retry::backoff,
              .cause = std::make_shared<Error>(sent.error())};
  end(dispatch, failed_result(dispatch, std::move(error)));
}

PolicyDecision AgentCoordinator::Impl::check(const Dispatch& dispatch, const Lane& lane) const {
  return policies.check(StartTask{.workflow = dispatch.id.workflow,
                                  .task = &*dispatch.assignment->task,
                                  .definition = dispatch.assignment->workflow.get(),
                                  .running_global = line.running(),
                                  .running_workflow = lane.workflow->running,
                                  .running_type = lane.running,
                                  .max_global = options.max_concurrent_tasks,
                                  .agents_of_type = static_cast<int>(lane.pool->members.size()),
                                  .agents_available = static_cast<int>(lane.pool->free.size()),
                                  .approved = dispatch.approved});
}

void AgentCoordinator::Impl::block(Lane& lane) {
  line.block(lane);
  if (recheck != nullptr || !line.has_stuck()) return;
  recheck = clock.call_after(kRecheck, [this] {
    recheck.reset();
    if (line.unblock_stuck()) pump();
  });
}

std::string AgentCoordinator::Impl::why_waiting(const Dispatch& dispatch) const {
  const auto reasons = check(dispatch, *dispatch.lane).reasons;
  std::string text = reasons.empty() ? "waits for its turn" : join(reasons);
  int offline = 0, open = 0, draining = 0;
  for (const Agent* agent : dispatch.lane->pool->members) {
    if (agent->offline)
      ++offline;
    else if (agent->draining)
      ++draining;
    else if (agent->suspect)
      ++open;
  }
  if (offline > 0) text += "; " + std::to_string(offline) + " offline";
  if (open > 0) text += "; " + std::to_string(open) + " failed too often of late (breaker open)";
  if (draining > 0) text += "; " + std::to_string(draining) + " draining";
  return text;
}

// --- the interface ---------------------------------------------------------------------------------------------------

AgentCoordinator::AgentCoordinator(Executor& executor, Clock& clock, MessageBus& bus, StateManager& states, PolicyEngine& policies,
                                   ErrorHandler& errors, CoordinatorOptions options)
    : impl_(std::make_unique<Impl>(executor, clock, bus, states, policies, errors, options)) {}

AgentCoordinator::~AgentCoordinator() = default;

Result<void> AgentCoordinator::register_agent(AgentRegistration agent) {
  auto added = impl_->registry.add(std::move(agent));
  if (!added) return fail(added.error());
  impl_->changed(**added);
  impl_->watch_silence();
  impl_->pump();
  return {};
}

Result<void> AgentCoordinator::unregister_agent(const AgentId& id) {
  Agent* agent = impl_->registry.find(id);
  if (agent == nullptr) return fail(ErrorCode::not_found, "no such agent", id.value);
  impl_->registry.set_draining(*agent);
  impl_->changed(*agent);
  impl_->watch_breakers(*agent->pool);
  impl_->remove_if_drained(*agent);
  return {};
}

std::vector<AgentState> AgentCoordinator::agent_states() const {
  std::vector<AgentState> states;
  for (const auto& [id, agent] : impl_->registry.agents()) states.push_back(impl_->registry.state(*agent));
  return states;
}

bool AgentCoordinator::knows_type(const AgentType& type) const {
  return impl_->registry.pool(type) != nullptr;
}

task<Shared<TaskResult>> AgentCoordinator::dispatch_task(Shared<TaskAssignment> assignment, bool approved) {
  return Impl::dispatch(*impl_, std::move(assignment), approved);
}

task<std::vector<Shared<TaskResult>>> AgentCoordinator::dispatch_batch(std::vector<Shared<TaskAssignment>> assignments) {
  return Impl::dispatch_batch(*impl_, std::move(assignments));
}

std::string AgentCoordinator::waiting_reason(const AttemptId& attempt) const {
  auto found = impl_->live.find(attempt);
  if (found == impl_->live.end() || (*found)->stage != Dispatch::Stage::queued) return {};
  return impl_->why_waiting(**found);
}

CoordinatorCounters AgentCoordinator::counters() const {
  return impl_->counters;
}

task<Result<void>> AgentCoordinator::sync() {
  for (const auto& [id, agent] : impl_->registry.agents()) impl_->changed(*agent);
  return impl_->sync.flush();
}

task<void> AgentCoordinator::close() {
  impl_->subscriptions.clear();
  impl_->silence.reset();
  impl_->recheck.reset();
  return impl_->sync.close();
}

}  // namespace conductorai::orchestration
