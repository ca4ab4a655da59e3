#include "agents/base/agent_host.hpp"

#include <deque>

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
    std::uint64_t epoch = 0;
    TaskResult result;
  };

  Impl(HostServices given, std::unique_ptr<BaseAgent> hosted)
      : services(std::move(given)), agent(std::move(hosted)), turns(std::max(agent->capacity(), 1)), scope(services.executor) {}

  Result<void> receive(const MessagePtr& message) {
    if (closing) return {};
    if (const auto* assignment = std::get_if<TaskAssignment>(&message->body))
      take(AssignmentPtr(message, assignment));
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
    auto attempt = std::make_unique<Attempt>(&scope.cancel_source(), assignment);
    CancelSource& cancel = attempt->cancel;
    attempts[assignment->id] = std::move(attempt);
    scope.spawn(run(*this, std::move(assignment)), cancel);
  }

  void stop(const CancelAttempt& order) {
    if (auto live = attempts.find(order.id); live != attempts.end()) {
      live->second->next.reset();
      live->second->reason = order.reason;
      live->second->cancel.cancel();
      return;
    }
    const Ended* before = find_ended(order.id);
    scope.spawn(publish_result(*this, before != nullptr ? before->result : cancelled_result(order.id, agent->id(), order.reason)));
  }

  [[nodiscard]] const Ended* find_ended(const AttemptId& id) const {
    for (const Ended& one : ended)
      if (one.result.id == id) return &one;
    return nullptr;
  }

  void notice(const AssignmentPtr& assignment, std::string text) {
    AgentMessage message;
    message.channel = "conductor:workflow:" + assignment->id.workflow.str();
    message.from = agent->id().str();
    message.body = Progress{assignment->id, agent->id(), std::move(text)};
    (void)services.bus.publish(std::move(message));  // nobody may be watching
  }

  static task<void> run(Impl& host, AssignmentPtr assignment) {
    Attempt& attempt = *host.attempts.at(assignment->id);
    TaskResult result = cancelled_result(assignment->id, host.agent->id(), {});
    auto turn = co_await host.turns.acquire();
    if (turn) {
      result = co_await perform(host, assignment);
      host.turns.release();
    }
    if (attempt.cancel.cancelled() && result.status != ResultStatus::completed) {
      TaskResult cancelled = cancelled_result(assignment->id, host.agent->id(), attempt.reason);
      cancelled.usage = result.usage;
      cancelled.artifacts = std::move(result.artifacts);
      result = std::move(cancelled);
    }
    if (!attempt.cancel.cancelled() && result.status == ResultStatus::cancelled) {  // nobody asked for it: a failure like any other
      result.status = ResultStatus::failed;
      if (!result.error) result.error = Error{.message = "the agent gave up"};
      result.error->code = ErrorCode::unavailable;
      result.error->retry = Retry::backoff;
    }
    if (final_result(result)) host.remember({assignment->epoch, result});
    AssignmentPtr next = std::move(attempt.next);
    const auto held = std::move(host.attempts.extract(assignment->id).mapped());  // its cancel source is this coroutine's
    crash_point("agent.before_publish");
    co_await runtime::shielded(publish_result(host, std::move(result)));
    if (next != nullptr && !host.closing) host.start(std::move(next));
  }

  static task<TaskResult> perform(Impl& host, AssignmentPtr assignment) {
    AttemptContext context(host.services, assignment, host.agent->id(), host.agent->description().type,
                           [&host, assignment](std::string text) { host.notice(assignment, std::move(text)); });
    TaskResult result = context.without_secrets(co_await host.agent->execute_task(context));
    co_await runtime::shielded(context.close());
    co_return result;
  }

  void remember(Ended one) {
    ended.push_back(std::move(one));
    if (ended.size() > kEndedKept) ended.pop_front();
  }

  static task<void> publish_result(Impl& host, TaskResult result) {
    AgentMessage message;
    message.channel = "conductor:results";
    message.from = host.agent->id().str();
    message.must_deliver = true;
    message.body = std::move(result);
    for (int tries = 1; tries <= kPublishTries; ++tries) {
      auto published = host.services.bus.publish(message);
      if (published) co_return;
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
  std::map<AttemptId, std::unique_ptr<Attempt>> attempts;
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
