#include "agents/base/agent_host.hpp"

#include <deque>
#include <unordered_map>

#include "agents/base/attempt_context.hpp"
#include "base/crash_point.hpp"
#include "runtime/event.hpp"
#include "runtime/scope.hpp"

namespace conductorai::agents {
namespace {

using AssignmentPtr = std::shared_ptr<const TaskAssignment>;

constexpr std::size_t kEndedKept = 64;
constexpr int kPublishTries = 10;
constexpr Milliseconds kPublishPause{50};

TaskResult cancelled_result(const AttemptId& id, const AgentId& agent, const std::string& reason) {
  TaskResult result;
  result.id = id;
  result.agent = agent;
  result.status = ResultStatus::cancelled;
  result.error = Error{.code = ErrorCode::cancelled, .message = reason.empty() ? "cancelled" : reason};
  result.summary = result.error->message;
  return result;
}

// A suspended or cancelled attempt stays live and may be handed over again; the others have ended for good.
bool final_result(const TaskResult& result) {
  return result.status == ResultStatus::completed || result.status == ResultStatus::failed;
}

}  // namespace

struct AgentHost::Impl {
  struct Attempt {
    Attempt(CancelSource* parent, AssignmentPtr given) : cancel(parent), assignment(std::move(given)) {}
    CancelSource cancel;
    AssignmentPtr assignment;
    std::string reason;  // of the cancellation
    AssignmentPtr next;  // handed over again while this one was being stopped
  };
  struct Ended {
    std::size_t hash = 0;  // of the attempt's id: looked at first
    std::uint64_t epoch = 0;
    Shared<TaskResult> result;
  };
  /// Attempts by their assignments' ids.
  struct ById {
    std::size_t operator()(const AttemptId& id) const { return std::hash<AttemptId>{}(id); }
    bool operator()(const AttemptId& a, const AttemptId& b) const { return a == b; }
  };
  using Attempts = std::unordered_map<std::reference_wrapper<const AttemptId>, std::unique_ptr<Attempt>, ById, ById>;

  Impl(HostServices given, std::unique_ptr<BaseAgent> hosted)
      : services(std::move(given)), agent(std::move(hosted)), turns(std::max(agent->capacity(), 1)), scope(services.executor) {}

  Result<void> receive(const MessagePtr& message) {
    if (closing) return {};
    if (const auto* assignment = std::get_if<Shared<TaskAssignment>>(&message->body))
      take(assignment->pointer());
    else if (const auto* order = std::get_if<CancelAttempt>(&message->body))
      stop(*order);
    return {};
  }

  void take(AssignmentPtr assignment) {
    if (auto live = attempts.find(assignment->id); live != attempts.end()) {
      if (live->second->cancel.cancelled() || assignment->epoch > live->second->assignment->epoch)
        live->second->next = std::move(assignment);
      return;
    }
    if (const Ended* before = find_ended(assignment->id); before != nullptr && before->epoch == assignment->epoch) {
      scope.spawn(publish_result(*this, before->result));
      return;
    }
    start(std::move(assignment));
  }

  void start(AssignmentPtr assignment) {
    auto made = std::make_unique<Attempt>(&scope.cancel_source(), std::move(assignment));
    Attempt& attempt = *made;
    attempts.emplace(attempt.assignment->id, std::move(made));
    scope.spawn(run(*this, attempt), attempt.cancel);
  }

  void stop(const CancelAttempt& order) {
    if (auto live = attempts.find(order.id); live != attempts.end()) {
      live->second->next.reset();
      live->second->reason = order.reason;
      live->second->cancel.cancel();
      return;
    }
    const Ended* before = find_ended(order.id);
    scope.spawn(publish_result(*this, before != nullptr ? before->result : Shared(cancelled_result(order.id, agent->id(), order.reason))));
  }

  [[nodiscard]] const Ended* find_ended(const AttemptId& id) const {
    const std::size_t hash = ById{}(id);
    for (const Ended& one : ended)
      if (one.hash == hash && one.result->id == id) return &one;
    return nullptr;
  }

  void notice(const AttemptId& id, std::string text) {
    AgentMessage message;
    message.channel = "conductor:workflow:" + id.workflow.str();
    message.from = agent->id().str();
    message.body = Progress{id, agent->id(), std::move(text)};
    (void)services.bus.publish(std::move(message));  // nobody may be watching
  }

  static task<bool> turn_came(Impl& host) {
    auto turn = co_await host.turns.acquire();
    co_return turn.has_value();
  }

  static task<void> run(Impl& host, Attempt& attempt) {
    std::optional<Shared<TaskResult>> result;
    if (host.turns.try_acquire() || co_await turn_came(host)) {
      result = co_await perform(host, attempt);
      host.turns.release();
    }
    result = host.judged(attempt, std::move(result));
    if (final_result(**result)) host.remember({ById{}(attempt.assignment->id), attempt.assignment->epoch, *result});
    const auto held = std::move(host.attempts.extract(attempt.assignment->id).mapped());  // its cancel source is this coroutine's
    crash_point("agent.before_publish");
    if (!host.publish(*result)) co_await runtime::shielded(publish_result(host, std::move(*result)));
    if (attempt.next != nullptr && !host.closing) host.start(std::move(attempt.next));
  }

  /// What the attempt came to; nothing where it never got its turn.
  [[nodiscard]] Shared<TaskResult> judged(const Attempt& attempt, std::optional<Shared<TaskResult>> given) const {
    if (!given) return cancelled_result(attempt.assignment->id, agent->id(), attempt.reason);
    const TaskResult& result = **given;
    if (attempt.cancel.cancelled() && result.status != ResultStatus::completed) {
      TaskResult cancelled = cancelled_result(result.id, agent->id(), attempt.reason);
      cancelled.usage = result.usage;
      cancelled.artifacts = result.artifacts;
      return cancelled;
    }
    if (attempt.cancel.cancelled() || result.status != ResultStatus::cancelled) return *given;
    TaskResult gave_up = result;  // nobody asked for it: a failure like any other
    gave_up.status = ResultStatus::failed;
    if (!gave_up.error) gave_up.error = Error{.message = "the agent gave up"};
    gave_up.error->code = ErrorCode::unavailable;
    gave_up.error->retry = Retry::backoff;
    return gave_up;
  }

  static task<Shared<TaskResult>> perform(Impl& host, Attempt& attempt) {
    AttemptContext context(host.services, attempt.assignment, host.agent->id(), host.agent->description().type,
                           [&host, &attempt](std::string text) { host.notice(attempt.assignment->id, std::move(text)); });
    auto result = co_await host.agent->execute_task(context);
    result = context.without_secrets(std::move(result));
    co_await runtime::shielded(context.close());
    co_return result;
  }

  void remember(Ended one) {
    ended.push_back(std::move(one));
    if (ended.size() > kEndedKept) ended.pop_front();
  }

  /// False: it could not be handed over.
  bool publish(const Shared<TaskResult>& result) {
    AgentMessage message{.channel = "conductor:results", .from = agent->id().str(), .must_deliver = true, .body = result};
    return services.bus.publish(std::move(message)).has_value();
  }

  static task<void> publish_result(Impl& host, Shared<TaskResult> result) {
    for (int tries = 1; tries <= kPublishTries; ++tries) {
      if (host.publish(result)) co_return;
      (void)co_await sleep_for(host.services.clock, kPublishPause * tries);
    }
  }

  static task<void> beat(Impl& host) {
    for (;;) {
      AgentMessage message;
      message.channel = "conductor:heartbeat";
      message.from = host.agent->id().str();
      message.body = Heartbeat{host.agent->id(), static_cast<int>(host.attempts.size())};
      (void)host.services.bus.publish(std::move(message));
      auto slept = co_await sleep_for(host.services.clock, host.services.heartbeat_interval);
      if (!slept) co_return;
    }
  }

  HostServices services;
  std::unique_ptr<BaseAgent> agent;
  runtime::Semaphore turns;
  Attempts attempts;
  std::deque<Ended> ended;
  bool closing = false;
  std::unique_ptr<Subscription> subscription;
  runtime::TaskScope scope;
};

AgentHost::AgentHost(HostServices services, std::unique_ptr<BaseAgent> agent)
    : impl_(std::make_unique<Impl>(std::move(services), std::move(agent))) {
  Impl* self = impl_.get();
  self->subscription = self->services.bus.subscribe("conductor:agent:" + self->agent->id().str(),
                                                    [self](MessagePtr message) { return self->receive(message); });
  self->scope.spawn(Impl::beat(*self));
}

AgentHost::~AgentHost() = default;

const BaseAgent& AgentHost::agent() const {
  return *impl_->agent;
}
int AgentHost::running() const {
  return static_cast<int>(impl_->attempts.size());
}

task<void> AgentHost::close() {
  impl_->closing = true;
  impl_->subscription.reset();
  impl_->scope.cancel();
  co_await impl_->scope.join();
}

}  // namespace conductorai::agents
