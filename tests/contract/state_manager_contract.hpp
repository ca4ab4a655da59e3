#pragma once
// The contract suite of StateManager. An adapter joins with one entry in state_manager_adapters.cpp.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conductorai/state_manager.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::test {

/// One store ("disk") that managers ("processes") are attached to.
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual std::unique_ptr<StateManager> attach() = 0;
  /// Ends a manager as a crash would: nothing is released.
  virtual void crash(std::unique_ptr<StateManager> manager) = 0;
};

struct StateAdapter {
  std::string name;
  std::function<std::unique_ptr<StateStore>(runtime::Loop&)> make;
};

class StateManagerContract : public testing::TestWithParam<StateAdapter> {
 protected:
  StateManagerContract() : store(GetParam().make(loop)), states(store->attach()) {}
  ~StateManagerContract() override {
    if (other) store->crash(std::move(other));
    if (states) store->crash(std::move(states));
  }

  template <class T>
  T run(task<T> work) {
    return runtime::run_to_end(loop, std::move(work));
  }
  /// Begins the workflow with one row of one event.
  void begin(const std::string& id) { EXPECT_TRUE(run(states->append(request(id, 1)))); }
  void attach_other() { other = store->attach(); }

  static AppendRequest request(const std::string& id, std::uint64_t first_seq, std::uint32_t count = 1, std::uint64_t epoch = 1) {
    AppendRequest made;
    made.row = {.workflow = WorkflowId(id),
                .first_seq = first_seq,
                .count = count,
                .at = Timestamp(Milliseconds(1'000 + static_cast<std::int64_t>(first_seq))),
                .epoch = epoch,
                .body = "body " + std::to_string(first_seq)};
    made.summary.id = WorkflowId(id);
    made.summary.name = "demo";
    made.summary.status = WorkflowStatus::in_progress;
    made.summary.created_at = Timestamp(Milliseconds(500));
    made.summary.updated_at = made.row.at;
    made.summary.owner = "7@here";
    return made;
  }
  template <class T>
  static ErrorCode code(const Result<T>& result) {
    return result ? ErrorCode::internal : result.error().code;
  }

  runtime::Loop loop;
  std::unique_ptr<StateStore> store;
  std::unique_ptr<StateManager> states;
  std::unique_ptr<StateManager> other;
};

/// The steps ledger, on an open workflow "wf-a".
class StateManagerSteps : public StateManagerContract {
 protected:
  StateManagerSteps() { begin("wf-a"); }
  BudgetUse use(const std::string& scope = "workflow/wf-a") { return run(states->budget_use(scope)).value(); }
  std::vector<StepRecord> steps() { return run(states->load_steps(attempt())).value(); }
  StepBegun begun(StepBegin step) {
    auto result = run(states->begin_step(std::move(step)));
    EXPECT_TRUE(result) << to_string(result.error());
    return result.value_or(StepBegun{});
  }
  void finish(StepFinish step) {
    auto result = run(states->finish_step(std::move(step)));
    EXPECT_TRUE(result) << to_string(result.error());
  }

 public:
  static const AttemptId& attempt() {
    static const AttemptId id{WorkflowId("wf-a"), TaskId("code"), 1, 1};
    return id;
  }
};

/// Workflows that end, with steps that count to a project's day.
class StateManagerRetention : public StateManagerContract {
 protected:
  static constexpr const char* kDay = "project/2026-01-31";

  void ends(const std::string& id, WorkflowStatus status = WorkflowStatus::completed) {
    auto last = request(id, 2);
    last.summary.status = status;
    EXPECT_TRUE(run(states->append(last)));
    EXPECT_TRUE(run(states->release(WorkflowId(id))));
  }
  static StepBegin step(const std::string& id, const std::string& ordinal) {
    return {.id = {{WorkflowId(id), TaskId("code"), 1, 1}, ordinal},
            .kind = "llm",
            .request_digest = "digest",
            .worst_case = {.usd_micros = 100, .tokens = 1'000, .calls = 1, .wall_ms = 60'000},
            .scopes = {{.key = "workflow/" + id}, {.key = "task/" + id + "/code"}, {.key = "agent/" + id + "/coding"}, {.key = kDay}},
            .epoch = 1};
  }
  void answered(const std::string& id) {
    EXPECT_TRUE(run(states->begin_step(step(id, "1"))));
    EXPECT_TRUE(run(states->finish_step({.id = step(id, "1").id,
                                         .usage = {.calls = 1, .input_tokens = 10, .output_tokens = 5, .usd_micros = 7, .wall_ms = 20},
                                         .response = "\"yes\"",
                                         .epoch = 1})));
  }
  BudgetUse use(const std::string& scope) { return run(states->budget_use(scope)).value(); }
  ErrorCode removed(const std::string& id) { return code(run(states->remove_workflow(WorkflowId(id)))); }
  std::vector<WorkflowId> removals() { return run(states->removals()).value(); }
};

}  // namespace conductorai::test
