// An attempt on real git and the real ledger, killed and taken up again: what is on record is not done twice, and the end is the same.

#include <gmock/gmock.h>

#include "agents/base/agent_host.hpp"
#include "agents/base/attempt_context.hpp"
#include "agents/command/command_agent.hpp"
#include "agents/development/agents.hpp"
#include "infrastructure/bus/memory_message_bus.hpp"
#include "infrastructure/process/process.hpp"
#include "infrastructure/workspace/git_workspace_manager.hpp"
#include "integrations/llm/call_stack.hpp"
#include "integrations/llm/mock/scripted_llm.hpp"
#include "tests/support/edit.hpp"
#include "tests/support/llm_fixture.hpp"
#include "tests/support/temp_folder.hpp"

namespace conductorai {
namespace {

using conductorai::testing::CountingEntropy;
using conductorai::testing::TempFolder;

/// Commands as local processes, counted; a real sandbox has tests of its own.
class LocalSandbox final : public Sandbox {
 public:
  explicit LocalSandbox(runtime::Loop& loop) : loop_(loop) {}
  int runs = 0;
  task<Result<CommandResult>> run(SandboxCommand command) override {
    ++runs;
    infrastructure::ProcessSpec spec{.argv = command.argv, .environment = command.environment, .working_directory = command.workspace};
    spec.environment.try_emplace("PATH", "/usr/bin:/bin");
    spec.timeout = command.limits.wall;
    spec.grace = Milliseconds(100);
    auto done = co_await infrastructure::run_process(loop_, std::move(spec));
    if (!done) co_return fail(done.error());
    CommandResult result;
    result.exit_code = done->exit_code;
    result.signal = done->signal;
    if (done->timed_out) result.exceeded = "wall";
    result.out.head = done->out;
    result.out.total_bytes = done->out_bytes;
    result.err.head = done->err;
    result.err.total_bytes = done->err_bytes;
    result.duration_ms = 5;
    co_return result;
  }
  [[nodiscard]] std::filesystem::path workspace_path(const std::filesystem::path& host) const override { return host; }
  [[nodiscard]] std::string_view name() const override { return "local"; }

 private:
  runtime::Loop& loop_;
};

/// Fails from the n-th begin on, as a process that died there.
class DyingStates final : public infrastructure::MemoryStateManager {
 public:
  using MemoryStateManager::MemoryStateManager;
  int begins_left = 1'000'000;
  bool unreadable = false;  // the steps of an attempt
  task<Result<std::vector<StepRecord>>> load_steps(AttemptId attempt) override {
    if (unreadable) co_return fail(ErrorCode::data_corrupted, "the disk gives back nonsense");
    auto steps = co_await MemoryStateManager::load_steps(std::move(attempt));
    co_return steps;
  }
  task<Result<StepBegun>> begin_step(StepBegin step) override {
    if (begins_left-- <= 0) co_return fail(ErrorCode::fenced, "this process is dead");
    auto begun = co_await MemoryStateManager::begin_step(std::move(step));
    co_return begun;
  }
};

/// Takes nothing while it is full.
class FillingArtifacts final : public ArtifactStore {
 public:
  bool full = false;
  task<Result<ArtifactRecord>> save(ArtifactRecord record, std::string bytes) override {
    if (full) return no_space();
    return inner_.save(std::move(record), std::move(bytes));
  }
  task<Result<ArtifactRecord>> save_file(ArtifactRecord record, std::filesystem::path file) override {
    if (full) return no_space();
    return inner_.save_file(std::move(record), std::move(file));
  }
  task<Result<std::string>> get(Digest digest) override { return inner_.get(std::move(digest)); }
  task<Result<void>> get_to_file(Digest digest, std::filesystem::path file) override {
    return inner_.get_to_file(std::move(digest), std::move(file));
  }
  task<Result<std::vector<ArtifactRecord>>> query(ArtifactQuery query) override { return inner_.query(std::move(query)); }
  task<Result<ArtifactRecord>> refer(ArtifactRecord record) override { return inner_.refer(std::move(record)); }
  task<Result<std::int64_t>> remove_workflows(std::vector<WorkflowId> workflows) override {
    return inner_.remove_workflows(std::move(workflows));
  }

 private:
  static task<Result<ArtifactRecord>> no_space() { co_return fail(ErrorCode::resource_exhausted, "no space left"); }
  infrastructure::MemoryArtifactStore inner_;
};

struct Attempt : ::testing::Test {
  TempFolder folder{"attempt"};
  runtime::Loop loop;
  CountingEntropy entropy;
  std::shared_ptr<infrastructure::MemoryStore> disk = infrastructure::make_memory_store();
  FillingArtifacts artifacts;
  std::unique_ptr<DyingStates> states;
  std::unique_ptr<runtime::BudgetTurns> turns;
  std::unique_ptr<infrastructure::MemoryMessageBus> bus;
  std::unique_ptr<infrastructure::GitWorkspaceManager> workspaces;
  std::shared_ptr<LocalSandbox> sandbox = std::make_shared<LocalSandbox>(loop);
  std::unique_ptr<integrations::ScriptedLLM> model;
  std::string script = "[]";
  WorkflowDefinition definition;
  std::shared_ptr<TaskAssignment> assignment = std::make_shared<TaskAssignment>();
  Branch branch;

  void SetUp() override {
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    start();
    const WorkflowId workflow("wf-01");
    auto prepared = run(workspaces->prepare({.workflow = workflow, .repo = {}, .base = {}}));
    ASSERT_TRUE(prepared) << to_string(prepared.error());
    branch = *prepared;
    assignment->id = {workflow, TaskId("code"), 1, 1};
    assignment->epoch = 1;
    edit(assignment->task, [](TaskDefinition& task) { task.id = TaskId("code"); });
    assignment->base = assignment->workflow_base = branch.base_commit;
  }
  void TearDown() override {
    if (bus) run(bus->close());
  }
  template <class T>
  T run(task<T> work) {
    return runtime::run_to_end(loop, std::move(work));
  }
  /// A process: everything but the disk is new.
  void start() {
    if (bus) run(bus->close());
    states = std::make_unique<DyingStates>(disk);
    turns = std::make_unique<runtime::BudgetTurns>(*states);
    bus = std::make_unique<infrastructure::MemoryMessageBus>(loop, loop, states.get());
    infrastructure::WorkArea area = infrastructure::work_area(folder.path() / "state");
    area.root = folder.path() / "work";
    workspaces = std::make_unique<infrastructure::GitWorkspaceManager>(
        loop, infrastructure::GitWorkspaceSettings{.state_dir = folder.path() / "state", .area = area});
    auto recorded = run(states->list_steps(WorkflowId("wf-01")));
    auto parsed = integrations::parse_script(script, "answers.yaml");
    ASSERT_TRUE(parsed) << to_string(parsed.error());
    model = std::make_unique<integrations::ScriptedLLM>(loop, *parsed, *recorded);
  }
  static task<Result<std::unique_ptr<BaseLLMProvider>>> open_model(Attempt* self, std::shared_ptr<const TaskAssignment> given) {
    co_return integrations::make_call_stack({.inner = *self->model,
                                             .states = *self->states,
                                             .turns = *self->turns,
                                             .artifacts = self->artifacts,
                                             .clock = self->loop,
                                             .notes = self->model.get()},
                                            self->entropy, {}, {.epoch = given->epoch, .limits = given->limits, .agent = AgentId("x-01")});
  }
  static task<Result<std::filesystem::path>> repository(std::filesystem::path repo) { co_return repo; }
  agents::HostServices services() {
    return {.executor = loop,
            .clock = loop,
            .entropy = entropy,
            .bus = *bus,
            .states = *states,
            .turns = *turns,
            .artifacts = artifacts,
            .workspaces = *workspaces,
            .sandbox = [this](const SandboxDefinition&) -> Result<std::shared_ptr<Sandbox>> { return sandbox; },
            .llm = [this](std::shared_ptr<const TaskAssignment> given) { return open_model(this, std::move(given)); },
            .repository = [this](std::shared_ptr<const TaskAssignment>) { return repository(branch.repo); },
            .scratch_root = folder.path() / "scratch",
            .hand_over = {},
            .host_environment = {{"TZ", "UTC"}, {"SECRET", "hunter2"}}};
  }
  TaskResult attempt(BaseAgent& agent) {
    assignment->workflow = std::make_shared<const WorkflowDefinition>(definition);
    const auto wired = services();
    agents::AttemptContext context(wired, assignment, agent.id(), agent.description().type, {});
    TaskResult result = run(agent.execute_task(context));
    run(context.close());
    EXPECT_TRUE(!std::filesystem::exists(folder.path() / "scratch") || std::filesystem::is_empty(folder.path() / "scratch"));
    return result;
  }
  /// On a fresh store, the process dies after it has begun `steps` of them; another one takes the attempt up.
  TaskResult killed_and_resumed(BaseAgent& agent, int steps) {
    disk = infrastructure::make_memory_store();
    start();
    sandbox->runs = 0;
    states->begins_left = steps;
    (void)attempt(agent);
    start();
    return attempt(agent);
  }
  TaskResult attempt_command(Object with) {
    edit(assignment->task, [&](TaskDefinition& task) { task.with = std::move(with); });
    auto agent = agents::make_command_agent(AgentId("command-01"), 1, {});
    return attempt(*agent);
  }
  std::string tree_of(const std::string& commit) { return *run(workspaces->tree_of(branch.repo, commit)); }
};

constexpr const char* kScript = R"(
- { reply: { error: { status: 503 } } }
- { reply: { files: { "app.py": "x = 1\n" } } }
- { reply: { files: { "app.py": "never\n" } } }
)";

TEST_F(Attempt, KilledBeforeEachStepItEndsAsTheUndisturbedOne) {
  script = kScript;
  start();
  auto agent = agents::make_coding_agent(AgentId("coding-01"), 1);
  const TaskResult undisturbed = attempt(*agent);
  ASSERT_EQ(undisturbed.status, ResultStatus::completed) << to_string(undisturbed.error.value_or(Error{}));
  ASSERT_EQ(undisturbed.verdict, Verdict::passed) << undisturbed.summary;
  const int runs = sandbox->runs;
  for (int survive = 0; survive <= 4; ++survive) {
    const TaskResult resumed = killed_and_resumed(*agent, survive);
    ASSERT_EQ(resumed.status, ResultStatus::completed) << survive << ": " << to_string(resumed.error.value_or(Error{}));
    EXPECT_EQ(resumed.verdict, undisturbed.verdict);
    EXPECT_EQ(tree_of(resumed.commit), tree_of(undisturbed.commit)) << survive;
    EXPECT_EQ(resumed.usage.calls, undisturbed.usage.calls) << survive;
    EXPECT_EQ(resumed.evidence.size(), undisturbed.evidence.size());
    EXPECT_EQ(sandbox->runs, runs) << survive;
    auto steps = run(states->list_steps(WorkflowId("wf-01")));
    EXPECT_EQ(steps->size(), 2u) << "one call, one build";
  }
}

constexpr const char* kToolScript = R"(
- reply: { tool_calls: [ { name: list_files, arguments: {} }, { name: write_file, arguments: { path: app.py, content: "x = 0\n" } } ] }
- reply: { tool_calls: [ { name: run_command, arguments: { command: "cat app.py; echo y = 2 >> app.py; date +%N > noise.txt", keep_changes: true } } ] }
- reply: { tool_calls: [ { name: apply_patch, arguments: { patch: "--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n-x = 0\n+x = 1\n y = 2\n" } },
                         { name: read_file, arguments: { path: noise.txt } }, { name: search, arguments: { pattern: "y = " } } ] }
- reply: { tool_calls: [ { name: run_command, arguments: { command: "test -f app.py && date +%N" } } ] }
- reply: { files: { "more.py": "z = 3\n" } }
)";

TEST_F(Attempt, KilledAnywhereInAToolLoopItBuysNothingAndRunsNothingTwice) {
  script = kToolScript;
  definition.llm.tools = ToolUse::on;
  start();
  auto agent = agents::make_coding_agent(AgentId("coding-01"), 1);
  const TaskResult undisturbed = attempt(*agent);
  ASSERT_EQ(undisturbed.verdict, Verdict::passed) << undisturbed.summary << to_string(undisturbed.error.value_or(Error{}));
  EXPECT_EQ(undisturbed.usage.calls, 6) << "five rules, and the mock's own answer to the files";
  const int runs = sandbox->runs;
  ASSERT_EQ(runs, 3) << "two of the model's, one build";
  const auto steps = run(states->list_steps(WorkflowId("wf-01")))->size();
  ASSERT_EQ(steps, 15u);
  for (int survive = 0; survive <= static_cast<int>(steps); ++survive) {
    const TaskResult resumed = killed_and_resumed(*agent, survive);
    ASSERT_EQ(resumed.verdict, Verdict::passed) << survive << ": " << to_string(resumed.error.value_or(Error{}));
    EXPECT_EQ(resumed.usage.calls, undisturbed.usage.calls) << survive;
    EXPECT_EQ(sandbox->runs, runs) << survive;
    const auto recorded = run(states->list_steps(WorkflowId("wf-01")));
    EXPECT_EQ(recorded->size(), steps) << survive;
    for (const StepRecord& record : *recorded) EXPECT_FALSE(record.set_aside) << survive << " at " << record.id.ordinal;
  }
}

TEST_F(Attempt, ACommandOfTheModelThatPlantsARepositoryIsRefusedAndTheWorkGoesOn) {
  script = R"(
- reply: { tool_calls: [ { name: run_command, arguments: { command: "mkdir -p sub/.git && echo x > sub/.git/config", keep_changes: true } } ] }
- reply: { tool_calls: [ { name: write_file, arguments: { path: app.py, content: "x = 1\n" } } ] }
- reply: { text: done }
)";
  definition.llm.tools = ToolUse::on;
  start();
  auto agent = agents::make_coding_agent(AgentId("coding-01"), 1);
  const TaskResult result = attempt(*agent);
  EXPECT_EQ(result.verdict, Verdict::passed) << result.summary << to_string(result.error.value_or(Error{}));
}

TEST_F(Attempt, ARecordedCommandIsAnsweredWithItsFilesWithoutBeingPerformed) {
  const Object with{{"run", "echo made > made.txt; echo k=v > $CONDUCTORAI_OUTPUT; echo printed"}, {"commit", true}};
  const TaskResult first = attempt_command(with);
  ASSERT_EQ(first.verdict, Verdict::passed) << first.summary << to_string(first.error.value_or(Error{}));
  start();
  const TaskResult again = attempt_command(with);
  EXPECT_EQ(sandbox->runs, 1);
  EXPECT_EQ(again.outputs, first.outputs);
  EXPECT_EQ(again.outputs->at("k"), Value("v"));
  EXPECT_EQ(tree_of(again.commit), tree_of(first.commit));
}

TEST_F(Attempt, AnotherCommandAtTheSamePlaceIsADivergenceAndIsPerformed) {
  (void)attempt_command({{"run", "echo one"}});
  (void)attempt_command({{"run", "echo two"}});
  EXPECT_EQ(sandbox->runs, 2);
  auto steps = run(states->list_steps(WorkflowId("wf-01")));
  ASSERT_EQ(steps->size(), 2u);
  EXPECT_TRUE((*steps)[0].set_aside);
}

TEST_F(Attempt, OnlyListedVariablesOfTheHostReachACommand) {
  definition.env = {"TZ"};
  auto result = attempt_command({{"run", "test \"$TZ\" = UTC && test -z \"$SECRET\""}});
  EXPECT_EQ(result.verdict, Verdict::passed) << result.summary;
}

TEST_F(Attempt, AnOutputFileThatIsALinkIsNotFollowed) {
  auto result = attempt_command({{"run", "ln -s /etc/passwd $CONDUCTORAI_OUTPUT"}});
  EXPECT_EQ(result.verdict, Verdict::passed) << result.summary;
  EXPECT_TRUE(result.outputs->empty());
  EXPECT_EQ(result.summary.find("k=v"), std::string::npos) << result.summary;
}

TEST_F(Attempt, OutputThatIsNoTextSurvivesTheRecord) {
  const Object with{{"run", "printf 'a=\\377\\376\\n' > $CONDUCTORAI_OUTPUT"}};
  const TaskResult first = attempt_command(with);
  const TaskResult again = attempt_command(with);
  EXPECT_EQ(first.outputs, again.outputs);
  EXPECT_EQ(first.outputs->at("a"), Value("\377\376"));
}

TEST_F(Attempt, ACommandThatPlantsARepositoryIsRefused) {
  auto result = attempt_command({{"run", "mkdir .git && echo '[core]' > .git/config"}});
  ASSERT_TRUE(result.error) << result.summary;
  EXPECT_EQ(result.error->code, ErrorCode::permission_denied);
}

TEST_F(Attempt, ABuildThatPlantsARepositoryFailsTheCode) {
  script = "- { reply: { files: { a.txt: \"1\" } } }\n";
  start();
  definition.toolchain.build = "mkdir .git && echo x > .git/config";
  auto agent = agents::make_coding_agent(AgentId("coding-01"), 1);
  const TaskResult result = attempt(*agent);
  ASSERT_EQ(result.status, ResultStatus::completed) << to_string(result.error.value_or(Error{}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_EQ(result.evidence.back().kind, "integrity");
  auto listed = run(workspaces->tree_of(branch.repo, result.commit));
  EXPECT_TRUE(listed);
}

TEST_F(Attempt, APathThroughALinkIsRefused) {
  auto linked = attempt_command({{"run", "ln -s /etc link"}, {"commit", true}});
  ASSERT_FALSE(linked.commit.empty()) << linked.summary;
  script = "- { reply: { files: { link/evil.conf: \"x\" } } }\n";
  start();
  assignment->id.task = TaskId("code2");
  assignment->base = linked.commit;
  assignment->task = {};
  auto agent = agents::make_coding_agent(AgentId("coding-01"), 1);
  const TaskResult result = attempt(*agent);
  ASSERT_EQ(result.status, ResultStatus::completed) << to_string(result.error.value_or(Error{}));
  EXPECT_EQ(result.verdict, Verdict::failed);
  EXPECT_FALSE(std::filesystem::exists("/etc/evil.conf"));
}

TEST_F(Attempt, TheWallBudgetBoundsACommandAndSuspendsTheAttempt) {
  assignment->limits.workflow.wall_ms = 300;
  auto stopped = attempt_command({{"run", "sleep 60"}});
  EXPECT_EQ(stopped.status, ResultStatus::suspended) << stopped.summary;
  auto use = run(states->budget_use("workflow/wf-01"));
  EXPECT_LE(use->spent.wall_ms + use->reserved.wall_ms, 300);
  auto refused = attempt_command({{"run", "true"}});
  EXPECT_EQ(refused.status, ResultStatus::suspended);
  EXPECT_THAT(refused.error->message, ::testing::HasSubstr("wall"));
}

TEST_F(Attempt, ACommandWhoseRecordCannotBeKeptCountsInFullAndIsPerformedAgain) {
  const Object with{{"run", "printf k=%070000d 7 > $CONDUCTORAI_OUTPUT"}};
  artifacts.full = true;
  const TaskResult lost = attempt_command(with);
  ASSERT_TRUE(lost.error) << lost.summary;
  EXPECT_EQ(lost.error->code, ErrorCode::resource_exhausted) << to_string(*lost.error);
  auto steps = run(states->list_steps(WorkflowId("wf-01")));
  ASSERT_EQ(steps->size(), 1u);
  EXPECT_EQ(steps->front().status, StepStatus::unknown);
  auto use = run(states->budget_use("workflow/wf-01"));
  EXPECT_EQ(use->reserved, Amounts{});
  EXPECT_EQ(use->spent.wall_ms, definition.sandbox.wall.count());
  artifacts.full = false;
  EXPECT_EQ(attempt_command(with).verdict, Verdict::passed);
  EXPECT_EQ(sandbox->runs, 2);
}

TEST_F(Attempt, ThatCannotTellWhatItUsedIsSuspendedAndAnswersFromItsRecordsLater) {
  const Object with{{"run", "echo made > made.txt"}, {"commit", true}};
  states->unreadable = true;
  const TaskResult unread = attempt_command(with);
  EXPECT_EQ(unread.status, ResultStatus::suspended);
  EXPECT_EQ(unread.verdict, Verdict::none);
  EXPECT_EQ(unread.commit, "");
  ASSERT_TRUE(unread.error);
  EXPECT_EQ(to_string(*unread.error).find("what the attempt used could not be read"), 0u) << to_string(*unread.error);
  states->unreadable = false;
  const TaskResult again = attempt_command(with);
  EXPECT_EQ(again.verdict, Verdict::passed) << again.summary;
  EXPECT_NE(again.commit, "");
  EXPECT_EQ(sandbox->runs, 1);
}

// --- the host -------------------------------------------------------------------------------------------------------------------

struct Host : Attempt {
  std::vector<TaskResult> results;
  int heartbeats = 0;
  std::unique_ptr<Subscription> on_results, on_beats;
  std::unique_ptr<agents::AgentHost> host;

  void open() {
    on_results = bus->subscribe("conductor:results", [this](MessagePtr message) -> Result<void> {
      results.push_back(std::get<Shared<TaskResult>>(message->body));
      return {};
    });
    on_beats = bus->subscribe("conductor:heartbeat", [this](MessagePtr) -> Result<void> { return ++heartbeats, Result<void>{}; });
    host = std::make_unique<agents::AgentHost>(services(), agents::make_command_agent(AgentId("command-01"), 1, {}));
  }
  void send(MessageBody body) {
    AgentMessage message;
    message.channel = "conductor:agent:command-01";
    message.body = std::move(body);
    EXPECT_TRUE(bus->publish(std::move(message)));
  }
  void assign(std::string run_text) {
    edit(assignment->task, [&](TaskDefinition& task) { task.with = {{"run", std::move(run_text)}}; });
    assignment->workflow = std::make_shared<const WorkflowDefinition>(definition);
    send(*assignment);
  }
  void wait_for(std::size_t count) {
    loop.run_until([&] { return results.size() >= count; });
  }
  void TearDown() override {
    if (host) run(host->close());
    on_results.reset();
    on_beats.reset();
    Attempt::TearDown();
  }
};

TEST_F(Host, AnswersAnAssignmentAndRepeatsTheAnswerInsteadOfRunningTwice) {
  open();
  assign("echo hi");
  assign("echo hi");
  wait_for(1);
  assign("echo hi");
  wait_for(2);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0].verdict, Verdict::passed) << results[0].summary;
  EXPECT_EQ(sandbox->runs, 1);
  EXPECT_GE(heartbeats, 1);
}

TEST_F(Host, CancelsAnAttemptAndAnswersOnceItsProcessesAreGone) {
  open();
  assign("sleep 61.25");
  loop.run_until([&] { return sandbox->runs == 1; });
  send(CancelAttempt{assignment->id, "the user asked"});
  wait_for(1);
  EXPECT_EQ(results[0].status, ResultStatus::cancelled);
  EXPECT_EQ(results[0].error->message, "the user asked");
  EXPECT_NE(std::system("pgrep -f '^sleep 61.25' > /dev/null"), 0);
  EXPECT_EQ(host->running(), 0);
}

TEST_F(Host, AnAttemptHandedOverAgainWhileItIsStoppedRunsAgain) {
  open();
  assign("sleep 61.25");
  loop.run_until([&] { return sandbox->runs == 1; });
  send(CancelAttempt{assignment->id, "paused"});
  assign("true");
  wait_for(2);
  EXPECT_EQ(results[0].status, ResultStatus::cancelled);
  EXPECT_EQ(results[1].status, ResultStatus::completed);
}

TEST_F(Host, CancellingWhatItNeverHadIsAnsweredToo) {
  open();
  send(CancelAttempt{assignment->id, "gone"});
  wait_for(1);
  EXPECT_EQ(results[0].status, ResultStatus::cancelled);
}

TEST_F(Host, ClosingStopsWhatRuns) {
  open();
  assign("sleep 61.25");
  loop.run_until([&] { return sandbox->runs == 1; });
  run(host->close());
  EXPECT_EQ(host->running(), 0);
  run(host->close());
}

}  // namespace
}  // namespace conductorai
