// The engine on a simulated loop, with real coordinator, bus, policies and memory stores; agents and git are small fakes.
#include "orchestration/engine/workflow_engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/codec.hpp"
#include "infrastructure/artifacts/memory_artifact_store.hpp"
#include "infrastructure/bus/memory_message_bus.hpp"
#include "infrastructure/state/memory_state_manager.hpp"
#include "runtime/sim_loop.hpp"

namespace conductorai::orchestration {
namespace {

using namespace std::chrono_literals;

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

/// What happened in the world, in order: "append 3", "move c1", "run code/1/1".
using Log = std::vector<std::string>;

/// Commits are words; a merge strings them together, and "x" conflicts with everything.
class FakeWorkspaces final : public WorkspaceManager {
 public:
  explicit FakeWorkspaces(Log& log) : log_(log) {}
  task<Result<Branch>> prepare(BranchRequest request) override {
    co_return Branch{.name = "conductorai/" + request.workflow.value, .base_commit = "base", .repo = "/repo"};
  }
  task<Result<Branch>> prepare_fork(WorkflowId, BranchRequest request, std::string head) override {
    if (head.contains("gone")) co_return fail(ErrorCode::not_found, "the commit is gone", head);
    co_return Branch{.name = "conductorai/" + request.workflow.value, .base_commit = request.base, .repo = "/repo"};
  }
  task<Result<std::filesystem::path>> locate(WorkflowId, std::string) override { co_return "/repo"; }
  task<Result<std::unique_ptr<Workspace>>> open(AttemptId, std::filesystem::path, std::string, std::vector<std::string>) override {
    co_return fail(ErrorCode::unsupported, "no files here");
  }
  task<Result<Merge>> merge(std::filesystem::path, std::string head, std::string commit, std::string, Timestamp) override {
    if (commit == "x") co_return Merge{.conflicts = {"a.py"}};
    co_return Merge{.head = head + "+" + commit};
  }
  task<Result<void>> move_branch(std::filesystem::path, std::string, std::string head) override {
    log_.push_back("move " + head);
    co_return Result<void>{};
  }
  task<Result<std::string>> tree_of(std::filesystem::path, std::string commit) override { co_return "tree of " + commit; }
  task<Result<void>> close(AttemptId, std::filesystem::path) override { co_return Result<void>{}; }
  task<Result<void>> close_all(WorkflowId, std::filesystem::path) override {
    log_.push_back("close");
    co_return Result<void>{};
  }
  task<Result<void>> remove_workflow(WorkflowId) override { co_return Result<void>{}; }

 private:
  Log& log_;
};

/// The store, logging appends and failing those it is told to.
using MemoryStateManagerBase = infrastructure::MemoryStateManager;
class WatchedStates final : public MemoryStateManagerBase {
 public:
  WatchedStates(std::shared_ptr<infrastructure::MemoryStore> store, Log& log) : MemoryStateManagerBase(std::move(store)), log_(log) {}
  task<Result<void>> append(AppendRequest request) override {
    if (failures > 0) {
      --failures;
      co_return fail(ErrorCode::resource_exhausted, "no space left on device");
    }
    const auto last = request.row.first_seq + request.row.count - 1;
    auto appended = co_await MemoryStateManagerBase::append(std::move(request));
    if (appended) log_.push_back("append " + std::to_string(last));
    co_return appended;
  }
  int failures = 0;

 private:
  Log& log_;
};

/// An agent answers an assignment after a while; the answer is a function of the attempt.
using Answer = std::function<TaskResult(const TaskAssignment&)>;

TaskResult passed(const TaskAssignment& assignment) {
  TaskResult result{.id = assignment.id, .verdict = Verdict::passed};
  result.evidence.push_back({.kind = "exit_code", .summary = "exit code 0", .value = 0, .artifact = Digest("sha256:0")});
  result.commit = assignment.id.task.value + std::to_string(assignment.id.round);
  return result;
}
TaskResult rejected(const TaskAssignment& assignment) {
  TaskResult result = passed(assignment);
  result.verdict = Verdict::failed;
  result.evidence.front().value = 1;
  result.feedback = FeedbackPayload{.from = assignment.id.task, .summary = "it does not add"};
  return result;
}

/// One process: everything but the disk. Destroying it without releasing is a crash.
class Process {
 public:
  Process(runtime::SimLoop& loop, std::shared_ptr<infrastructure::MemoryStore> disk, ArtifactStore& artifacts, Log& log, std::uint64_t seed,
          Answer answer, Milliseconds work = 10ms)
      : loop_(loop),
        entropy_(seed),
        states(std::move(disk), log),
        workspaces_(log),
        bus_(loop, loop, &states),
        policies_(standard_policies()),
        errors_(loop, entropy_),
        coordinator_(loop, loop, bus_, states, policies_, errors_, {}),
        engine({loop, loop, entropy_, states, artifacts, workspaces_, bus_, coordinator_, policies_, errors_}, {.owner = "1@sim"}, "/"),
        log_(log),
        answer_(std::move(answer)),
        work_(work),
        agents_(loop) {
    for (const char* type : {"coding", "test", "command"}) {
      const AgentId id(std::string(type) + "-01");
      EXPECT_TRUE(coordinator_.register_agent({id, AgentType(type), 8}));
      subscriptions_.push_back(
          bus_.subscribe("conductor:agent:" + id.value, [this, id](MessagePtr message) { return handle(id, message); }));
    }
  }
  ~Process() {
    engine.interrupt();
    for (auto& [id, cancel] : running_) cancel->cancel();
    agents_.cancel();
    runtime::run_to_end(loop_, agents_.join());
    runtime::run_to_end(loop_, engine.close());
    runtime::run_to_end(loop_, coordinator_.close());
    subscriptions_.clear();
    runtime::run_to_end(loop_, bus_.close());
  }

 private:
  Result<void> handle(AgentId id, MessagePtr message) {
    if (const auto* assignment = std::get_if<Shared<TaskAssignment>>(&message->body)) {
      auto& cancel = running_[(*assignment)->id] = std::make_unique<CancelSource>();
      agents_.spawn(work(id, *assignment), *cancel);
    } else if (const auto* stop = std::get_if<CancelAttempt>(&message->body)) {
      if (auto it = running_.find(stop->id); it != running_.end()) it->second->cancel();
    }
    return {};
  }
  task<void> work(AgentId id, TaskAssignment assignment) {
    log_.push_back("run " + to_string(assignment.id));
    auto slept = co_await sleep_for(loop_, work_ + Milliseconds(entropy_.next() % 20));
    TaskResult result =
        slept ? answer_(assignment) : TaskResult{.id = assignment.id, .status = ResultStatus::cancelled, .error = slept.error()};
    result.agent = id;
    (void)bus_.publish({.channel = "conductor:results", .from = id.value, .body = std::move(result)});
  }

  runtime::SimLoop& loop_;
  SeededEntropy entropy_;

 public:
  WatchedStates states;

 private:
  FakeWorkspaces workspaces_;
  infrastructure::MemoryMessageBus bus_;
  PolicyEngine policies_;
  ErrorHandler errors_;
  AgentCoordinator coordinator_;

 public:
  WorkflowEngine engine;

 private:
  Log& log_;
  Answer answer_;
  Milliseconds work_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  std::map<AttemptId, std::unique_ptr<CancelSource>> running_;
  runtime::TaskScope agents_;
};

TaskDefinition task_of(const char* id, const char* agent, std::vector<TaskId> needs = {}) {
  return {.id = TaskId(id), .agent = AgentType(agent), .needs = std::move(needs)};
}

WorkflowDefinition code_then_test() {
  return {.name = "demo", .requirement = "add", .tasks = {task_of("code", "coding"), task_of("test", "test", {TaskId("code")})}};
}

class Engine : public ::testing::Test {
 protected:
  std::unique_ptr<Process> process(Answer answer, std::uint64_t seed = 1) {
    return std::make_unique<Process>(loop, disk, artifacts, log, seed, std::move(answer));
  }
  Result<core::WorkflowState> run(Process& p, WorkflowDefinition definition) {
    return ended(p.engine.run_workflow(std::move(definition), [this](const EventRecord& r) { events.push_back(r.event); }));
  }
  Result<core::WorkflowState> resume(Process& p, const WorkflowId& id) { return ended(p.engine.resume_workflow(id, {}, "me", {})); }
  Result<core::WorkflowState> ended(task<Result<Shared<core::WorkflowState>>> work) {
    auto state = runtime::run_to_end(loop, std::move(work));
    if (!state) return fail(state.error());
    return **state;
  }
  WorkflowId only_workflow(Process& p) { return runtime::run_to_end(loop, p.states.list({}))->front().id; }

  runtime::SimLoop loop;
  std::shared_ptr<infrastructure::MemoryStore> disk = infrastructure::make_memory_store();
  infrastructure::MemoryArtifactStore artifacts;
  Log log;
  std::vector<std::string> events;
};

TEST_F(Engine, JournalsBeforeItActsAndMovesTheBranchAfter) {
  auto p = process(passed);
  auto state = run(*p, code_then_test());
  ASSERT_TRUE(state) << to_string(state.error());
  EXPECT_EQ(core::status(*state), WorkflowStatus::completed);
  EXPECT_EQ(state->head, "base+code1+test1");
  const Log expected{"append 1", "run code/1/1",          "append 2", "move base+code1", "run test/1/1",
                     "append 6", "move base+code1+test1", "close"};
  Log seen = log;
  // How many gates share the last row is core's business; the order of appends and effects is the engine's.
  for (auto& line : seen)
    if (line.starts_with("append ") && line != "append 1" && line != "append 2") line = "append 6";
  EXPECT_EQ(seen, expected);
}

TEST_F(Engine, SendsAFailedVerdictBackAndPassesInTheSecondRound) {
  auto p = process([](const TaskAssignment& a) {
    if (a.id.task.value == "test" && a.id.round == 1) return rejected(a);
    if (a.id.task.value == "code" && a.id.round == 2) EXPECT_EQ(a.findings.back().summary, "it does not add");
    return passed(a);
  });
  auto state = run(*p, code_then_test());
  ASSERT_TRUE(state);
  EXPECT_EQ(core::status(*state), WorkflowStatus::completed);
  EXPECT_EQ(state->round, 2);
  EXPECT_EQ(std::ranges::count(events, "round.opened"), 1);
}

TEST_F(Engine, HoldsBackEveryEffectWhileTheJournalCannotBeWritten) {
  auto p = process(passed);
  p->states.failures = 3;
  auto state = run(*p, code_then_test());
  ASSERT_TRUE(state);
  EXPECT_EQ(log.front(), "append 1");
  EXPECT_EQ(core::status(*state), WorkflowStatus::completed);
}

TEST_F(Engine, GivesUpOnADiskThatStaysFullAndLeavesTheJournalAsItWas) {
  auto p = process(passed);
  p->states.failures = 1000;
  auto state = run(*p, code_then_test());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(log.empty());
}

TEST_F(Engine, RetriesAMergeConflictFromTheNewHead) {
  auto p = process([](const TaskAssignment& a) {
    TaskResult result = passed(a);
    if (a.id.attempt == 1) result.commit = "x";
    return result;
  });
  WorkflowDefinition definition{.name = "one", .requirement = "add", .tasks = {task_of("code", "coding")}};
  auto state = run(*p, definition);
  ASSERT_TRUE(state);
  EXPECT_EQ(core::status(*state), WorkflowStatus::completed);
  EXPECT_EQ(state->tasks.at(TaskId("code")).attempts, 2);
}

TEST_F(Engine, RetriesAFailedAttemptAfterItsBackOff) {
  auto p = process([](const TaskAssignment& a) {
    if (a.id.attempt >= 3) return passed(a);
    TaskResult result{.id = a.id, .status = ResultStatus::failed};
    result.error = Error{.code = ErrorCode::unavailable, .message = "no answer", .retry = Retry::backoff};
    return result;
  });
  auto state = run(*p, code_then_test());
  ASSERT_TRUE(state);
  EXPECT_EQ(core::status(*state), WorkflowStatus::completed);
  EXPECT_EQ(state->tasks.at(TaskId("code")).attempts, 3);
}

task<void> cancel_at(runtime::SimLoop& loop, Process& p, Milliseconds when, core::Command command, std::vector<Result<void>>& answers) {
  (void)co_await sleep_for(loop, when);
  auto listed = co_await p.states.list({});
  answers.push_back(co_await p.engine.control(listed->front().id, std::move(command)));
}

TEST_F(Engine, CancelStopsWhatRunsAndRefusesItsLateResult) {
  auto p = process(passed);
  runtime::TaskScope side(loop);
  std::vector<Result<void>> answers;
  side.spawn(cancel_at(loop, *p, 5ms, core::Cancel{"me", "enough"}, answers));
  auto state = run(*p, code_then_test());
  runtime::run_to_end(loop, side.join());
  ASSERT_TRUE(state);
  ASSERT_TRUE(answers.at(0)) << to_string(answers.at(0).error());
  EXPECT_EQ(core::status(*state), WorkflowStatus::cancelled);
  EXPECT_EQ(std::ranges::count(events, "task.completed"), 0);
  EXPECT_EQ(events.back(), "workflow.cancelled");
}

TEST_F(Engine, PauseRecordsWhatRunsAndResumeGoesOn) {
  auto p = process(passed);
  runtime::TaskScope side(loop);
  std::vector<Result<void>> answers;
  side.spawn(cancel_at(loop, *p, 5ms, core::Pause{PauseKind::user, "lunch"}, answers));
  auto state = run(*p, code_then_test());
  runtime::run_to_end(loop, side.join());
  ASSERT_TRUE(state);
  EXPECT_EQ(core::status(*state), WorkflowStatus::paused);
  EXPECT_EQ(core::status(*state, state->tasks.at(TaskId("code"))), TaskStatus::completed);
  auto resumed = resume(*p, state->id);
  ASSERT_TRUE(resumed) << to_string(resumed.error());
  EXPECT_EQ(core::status(*resumed), WorkflowStatus::completed);
}

TEST_F(Engine, AnApprovalFromOutsideIsDecidedByWhoPassesBy) {
  auto p = process(passed);
  WorkflowDefinition definition = code_then_test();
  definition.tasks[1].approval = true;
  auto waiting = run(*p, definition);
  ASSERT_TRUE(waiting);
  EXPECT_NE(core::reason(*waiting).find("approval"), std::string::npos);
  const std::size_t ran = log.size();
  ASSERT_TRUE(runtime::run_to_end(loop, p->engine.control(waiting->id, core::Resolve{.approve = true, .by = "me"})));
  EXPECT_EQ(std::ranges::count(log, "run test/1/1"), 0) << "who passes by starts no task";
  EXPECT_GT(log.size(), ran);
  auto done = resume(*p, waiting->id);
  ASSERT_TRUE(done);
  EXPECT_EQ(core::status(*done), WorkflowStatus::completed);
}

TEST_F(Engine, AStoppedOwnerIsFencedOnceAnotherHasClaimed) {
  auto first = process(passed);
  auto second = process(passed, 2);
  WorkflowDefinition definition = code_then_test();
  definition.tasks[0].approval = true;
  auto waiting = run(*first, definition);
  ASSERT_TRUE(waiting);
  auto taken = runtime::run_to_end(loop, second->states.claim(waiting->id, "2@sim"));
  ASSERT_TRUE(taken);
  auto refused = resume(*first, waiting->id);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
}

TEST_F(Engine, AForkBeginsWithWhatStandsAndJournalsItBeforeItActs) {
  auto p = process(passed);
  auto parent = run(*p, code_then_test());
  ASSERT_TRUE(parent);
  log.clear();
  events.clear();
  auto fork = ended(p->engine.fork_workflow({.workflow = parent->id, .task = TaskId("test"), .by = "me"},
                                            [this](const EventRecord& r) { events.push_back(r.event); }));
  ASSERT_TRUE(fork) << to_string(fork.error());
  EXPECT_EQ(core::status(*fork), WorkflowStatus::completed);
  EXPECT_NE(fork->id, parent->id);
  EXPECT_EQ(fork->origin->workflow, parent->id);
  EXPECT_EQ(fork->head, "base+code1+test1");
  EXPECT_EQ(events.at(1), "workflow.forked");
  EXPECT_EQ(std::ranges::count(log, "run code/1/1"), 0);
  EXPECT_EQ((Log{log.begin(), log.begin() + 3}), (Log{"append 3", "move base+code1", "run test/1/1"}));
}

TEST_F(Engine, AForkThatCannotBeMadeLeavesNothing) {
  auto p = process([](const TaskAssignment& a) {
    TaskResult result = passed(a);
    if (a.id.task.value == "code") result.commit = "gone";
    return result;
  });
  auto parent = run(*p, code_then_test());
  ASSERT_TRUE(parent);
  EXPECT_TRUE(runtime::run_to_end(loop, artifacts.save({.workflow = parent->id, .type = "script", .name = "answers.yaml"}, "[]")));
  const auto refused = [&](ForkRequest request) {
    auto fork = ended(p->engine.fork_workflow(std::move(request), {}));
    return fork ? ErrorCode::internal : fork.error().code;
  };
  EXPECT_EQ(refused({.workflow = parent->id, .task = TaskId("test")}), ErrorCode::not_found) << "the commit is gone";
  EXPECT_EQ(refused({.workflow = parent->id, .task = TaskId("nobody")}), ErrorCode::not_found);
  EXPECT_EQ(refused({.workflow = parent->id, .seq = 99}), ErrorCode::invalid_argument);
  EXPECT_EQ(refused({.workflow = parent->id, .seq = parent->last_seq + 1}), ErrorCode::not_found) << "it had ended, and the commit is gone";
  EXPECT_EQ(refused({.workflow = parent->id, .inputs = {{"who", Value("ann")}}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refused({.workflow = WorkflowId("wf-none")}), ErrorCode::not_found);
  EXPECT_EQ(runtime::run_to_end(loop, p->states.list({}))->size(), 1U);
  EXPECT_EQ(runtime::run_to_end(loop, artifacts.query({.type = "script"}))->size(), 1U);
}

/// What a disturbed run shares with the undisturbed one.
std::string normal_form(const core::WorkflowState& state) {
  std::string text = std::string(to_string(core::status(state))) + " rounds " + std::to_string(state.round) + " head " + state.head;
  for (const TaskId& id : state.order) {
    const core::TaskRecord& task = state.tasks.at(id);
    text += " " + id.value + "/" + std::to_string(task.round) + "/" + std::to_string(task.attempts) + "=" +
            std::string(to_string(core::status(state, task)));
  }
  return text;
}

task<void> interrupt_at(runtime::SimLoop& loop, Process& p, Milliseconds when) {
  if (co_await sleep_for(loop, when)) p.engine.interrupt();
}

TEST_F(Engine, InterruptedAnywhereItEndsAsIfNothingHadHappened) {
  const Answer answer = [](const TaskAssignment& a) { return a.id.task.value == "test" && a.id.round == 1 ? rejected(a) : passed(a); };
  std::string expected;
  {
    auto p = process(answer);
    expected = normal_form(run(*p, code_then_test()).value());
  }
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    disk = infrastructure::make_memory_store();
    std::mt19937_64 chance(seed);
    std::optional<core::WorkflowState> last;
    for (int life = 0; life < 40 && (!last || !core::terminal(*last)); ++life) {
      auto p = process(answer, seed * 100 + static_cast<std::uint64_t>(life));
      runtime::TaskScope side(loop);
      if (life < 4) side.spawn(interrupt_at(loop, *p, Milliseconds(chance() % 60)));
      auto ended = last ? resume(*p, last->id) : run(*p, code_then_test());
      side.cancel();
      runtime::run_to_end(loop, side.join());
      if (ended) last = *ended;
    }
    ASSERT_TRUE(last) << "seed " << seed;
    EXPECT_EQ(normal_form(*last), expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace conductorai::orchestration
