#pragma once
// A coordinator among fakes for its tests: virtual time, the memory bus and store, agents that do what the test says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "infrastructure/bus/memory_message_bus.hpp"
#include "infrastructure/state/memory_state_manager.hpp"
#include "orchestration/coordinator/agent_coordinator.hpp"
#include "runtime/scope.hpp"
#include "runtime/sim_loop.hpp"

namespace conductorai::orchestration {

using namespace std::chrono_literals;

/// Virtual time of the loop plus what the test adds while the loop stands still (a stopped process).
class TestClock final : public Clock {
 public:
  explicit TestClock(runtime::SimLoop& loop) : loop_(loop) {}
  [[nodiscard]] Timestamp now() const override { return loop_.now(); }
  [[nodiscard]] Instant steady_now() const override { return loop_.steady_now() + stood_still; }
  [[nodiscard]] std::unique_ptr<Timer> call_after(std::chrono::nanoseconds delay, std::function<void()> function) override {
    return loop_.call_after(delay, std::move(function));
  }
  std::chrono::nanoseconds stood_still{0};

 private:
  runtime::SimLoop& loop_;
};

class TestEntropy final : public Entropy {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{1};
};

/// Takes assignments from the bus and keeps them until the test ends them.
class FakeAgent {
 public:
  FakeAgent(MessageBus& bus, std::string id) : bus_(bus), id_(std::move(id)) {
    subscription_ = bus_.subscribe("conductor:agent:" + id_.value, [this](MessagePtr message) {
      if (const auto* assignment = std::get_if<Shared<TaskAssignment>>(&message->body)) took(**assignment);
      if (const auto* cancel = std::get_if<CancelAttempt>(&message->body)) stopped(*cancel);
      return Result<void>{};
    });
  }
  [[nodiscard]] const AgentId& id() const { return id_; }

  void answer(const AttemptId& attempt, ResultStatus status, std::optional<Error> error = {}) {
    std::erase(running, attempt);
    TaskResult result{.id = attempt, .agent = id_, .status = status, .error = std::move(error)};
    result.usage.calls = 1;
    if (status == ResultStatus::completed) result.summary = "done by " + id_.value;
    (void)bus_.publish({.channel = "conductor:results", .from = id_.value, .must_deliver = true, .body = std::move(result)});
  }
  void complete(const AttemptId& attempt) { answer(attempt, ResultStatus::completed); }
  void fail_with(const AttemptId& attempt, ErrorCode code) {
    answer(attempt, ResultStatus::failed, Error{.code = code, .message = "the fake failed"});
  }
  void beat() { (void)bus_.publish({.channel = "conductor:heartbeat", .from = id_.value, .body = Heartbeat{id_, 0}}); }

  std::function<void(FakeAgent&, const AttemptId&)> on_task;  // called for each assignment
  bool confirms_stop = true;
  std::vector<AttemptId> running;
  std::vector<std::string> taken, cancelled;  // task ids, in order

 private:
  void took(const TaskAssignment& assignment) {
    running.push_back(assignment.id);
    taken.push_back(assignment.id.task.value);
    if (on_task) on_task(*this, assignment.id);
  }
  void stopped(const CancelAttempt& cancel) {
    cancelled.push_back(cancel.id.task.value);
    if (confirms_stop && std::ranges::count(running, cancel.id) > 0)
      answer(cancel.id, ResultStatus::cancelled, Error{.code = ErrorCode::cancelled, .message = cancel.reason});
  }
  MessageBus& bus_;
  AgentId id_;
  std::unique_ptr<Subscription> subscription_;
};

inline task<void> keep(task<Shared<TaskResult>> work, std::map<std::string, TaskResult>& results, std::vector<std::string>& order,
                       std::string name) {
  results[name] = co_await std::move(work);
  order.push_back(name);
}

struct World {
  explicit World(CoordinatorOptions options = {.heartbeat_timeout = std::chrono::hours(24)},
                 BreakerOptions breakers = {.failures_to_open = 3}, std::vector<std::unique_ptr<Policy>> rules = standard_policies())
      : policies(std::move(rules)), errors(clock, entropy, breakers), coordinator(loop, clock, bus, states, policies, errors, options) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    for (auto& [name, cancel] : cancels) cancel.cancel();
    scope.cancel();
    loop.advance(1h);  // past every grace
    EXPECT_EQ(scope.running(), 0U);
    run_to_end(loop, coordinator.close());
    run_to_end(loop, bus.close());
  }

  FakeAgent& agent(const std::string& id, const std::string& type = "coding", int capacity = 1) {
    agents.push_back(std::make_unique<FakeAgent>(bus, id));
    EXPECT_TRUE(coordinator.register_agent({AgentId(id), AgentType(type), capacity}));
    return *agents.back();
  }
  /// An attempt "task" of "workflow/task"; its workflow's definition is `definition`.
  [[nodiscard]] TaskAssignment assignment(const std::string& name, const std::string& type = "coding", int priority = 0) const {
    const auto slash = name.find('/');
    const std::string workflow = slash == std::string::npos ? "wf" : name.substr(0, slash);
    const TaskId task(slash == std::string::npos ? name : name.substr(slash + 1));
    TaskAssignment made;
    made.task = TaskDefinition{.id = task, .agent = AgentType(type), .priority = priority};
    made.id = {WorkflowId(workflow), task, 1, 1};
    made.workflow = definition;
    return made;
  }
  void dispatch(TaskAssignment work) {
    auto name = work.id.task.value;
    scope.spawn(keep(coordinator.dispatch_task(std::move(work)), results, order, name), cancels[name]);
  }
  void dispatch(const std::string& name, const std::string& type = "coding", int priority = 0) {
    dispatch(assignment(name, type, priority));
    loop.settle();
  }
  void cancel(const std::string& name) {
    cancels[name].cancel();
    loop.settle();
  }
  [[nodiscard]] std::string reason(const std::string& name) const { return coordinator.waiting_reason(assignment(name).id); }
  [[nodiscard]] AgentState state(const std::string& id) const {
    for (auto& state : coordinator.agent_states())
      if (state.id.value == id) return state;
    return {};
  }
  [[nodiscard]] ErrorCode error_of(const std::string& name) const {
    auto found = results.find(name);
    return found != results.end() && found->second.error ? found->second.error->code : ErrorCode::internal;
  }

  runtime::SimLoop loop;
  TestClock clock{loop};
  TestEntropy entropy;
  infrastructure::MemoryStateManager states;
  infrastructure::MemoryMessageBus bus{loop, clock, &states};
  PolicyEngine policies;
  ErrorHandler errors;
  AgentCoordinator coordinator;
  std::shared_ptr<WorkflowDefinition> definition = [] {
    auto made = std::make_shared<WorkflowDefinition>();
    made->policies.max_concurrent_tasks = 100;
    made->policies.max_concurrent_per_agent = 100;
    return made;
  }();
  std::vector<std::unique_ptr<FakeAgent>> agents;
  std::map<std::string, CancelSource> cancels;
  std::map<std::string, TaskResult> results;
  std::vector<std::string> order;  // in which results came
  runtime::TaskScope scope{loop};
};

}  // namespace conductorai::orchestration
