#include "bench/noop_work.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "runtime/scope.hpp"

namespace conductorai::bench {
namespace {

const std::string& kilobyte() {
  static const std::string text(1024 - 12, 'x');
  return text;
}

class NoopAgent final : public BaseAgent {
 public:
  NoopAgent(AgentId id, int capacity, Milliseconds delay) : BaseAgent(std::move(id), capacity), delay_(delay) {}
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description{.type = AgentType("noop"), .summary = "does nothing"};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    if (delay_.count() == 0) co_return done({});
    co_return done(co_await sleep_for(context.clock(), delay_));
  }

 private:
  /// In a box: its frame waits by the ten thousand.
  static std::unique_ptr<Result<Outcome>> done(const Result<void>& slept) {
    if (!slept) return std::make_unique<Result<Outcome>>(fail(slept.error()));
    return std::make_unique<Result<Outcome>>(Outcome{.outputs = {{"text", kilobyte()}}});
  }

  Milliseconds delay_;
};

TaskDefinition noop_task(std::string id, Phase phase, std::vector<TaskId> needs) {
  TaskDefinition task;
  task.id = TaskId(std::move(id));
  task.agent = AgentType("noop");
  task.phase = phase;
  task.needs = std::move(needs);
  return task;
}

WorkflowDefinition workflow_of(std::vector<TaskDefinition> tasks) {
  WorkflowDefinition definition;
  definition.name = "bench";
  definition.policies.max_concurrent_tasks = static_cast<int>(tasks.size());
  definition.policies.max_concurrent_per_agent = static_cast<int>(tasks.size());
  definition.tasks = std::move(tasks);
  return definition;
}

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "conductorai-bench: error: %s\n", to_string(error).c_str());
  std::exit(4);
}

struct Share {
  BenchHouse& bench;
  const WorkflowDefinition& definition;
  std::vector<double>& latencies;
  int left;
  std::int64_t errors = 0;
};

task<void> lane(Share& share) {
  while (share.left > 0) {
    --share.left;
    const auto started = std::chrono::steady_clock::now();
    auto ended = co_await share.bench.house().engine->run_workflow(share.definition, {});
    if (!ended || core::status(*ended) != WorkflowStatus::completed) ++share.errors;
    share.latencies.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count());
  }
}

task<void> lanes(Share& share, int in_flight) {
  runtime::TaskScope scope(share.bench.loop());
  for (int i = 0; i < in_flight; ++i) scope.spawn(lane(share));
  co_await scope.join();
}

}  // namespace

std::unique_ptr<BaseAgent> make_noop_agent(AgentId id, int capacity, Milliseconds delay) {
  return std::make_unique<NoopAgent>(std::move(id), capacity, delay);
}

WorkflowDefinition chain_of_seven() {
  constexpr std::array names{"code", "review", "test-data", "test", "package", "deploy", "monitor"};
  constexpr std::array phases{Phase::development, Phase::development, Phase::development, Phase::development,
                              Phase::devops,      Phase::devops,      Phase::monitoring};
  std::vector<TaskDefinition> tasks;
  for (std::size_t i = 0; i < names.size(); ++i)
    tasks.push_back(noop_task(names[i], phases[i], i == 0 ? std::vector<TaskId>{} : std::vector<TaskId>{TaskId(names[i - 1])}));
  return workflow_of(std::move(tasks));
}

WorkflowDefinition fan_of(int width) {
  std::vector<TaskDefinition> tasks{noop_task("first", Phase::development, {})};
  std::vector<TaskId> all;
  for (int i = 0; i < width; ++i) {
    tasks.push_back(noop_task("t" + std::to_string(i), Phase::development, {TaskId("first")}));
    all.push_back(tasks.back().id);
  }
  tasks.push_back(noop_task("last", Phase::development, std::move(all)));
  return workflow_of(std::move(tasks));
}

WorkflowDefinition side_by_side(int width) {
  std::vector<TaskDefinition> tasks;
  for (int i = 0; i < width; ++i) tasks.push_back(noop_task("t" + std::to_string(i), Phase::development, {}));
  return workflow_of(std::move(tasks));
}

WorkflowDefinition long_chain(int length) {
  std::vector<TaskDefinition> tasks;
  for (int i = 0; i < length; ++i)
    tasks.push_back(noop_task("t" + std::to_string(i), Phase::development,
                              i == 0 ? std::vector<TaskId>{} : std::vector<TaskId>{TaskId("t" + std::to_string(i - 1))}));
  return workflow_of(std::move(tasks));
}

BenchHouse::BenchHouse(const std::filesystem::path& folder, const std::string& state, std::unique_ptr<BaseAgent> agent, LlmOptions llm) {
  auto made = facade::assemble(loop_, {.project_root = folder,
                                       .state_dir = folder / "state",
                                       .state = state,
                                       .artifacts = state == "memory" ? "memory" : "files",
                                       .llm = std::move(llm)});
  if (!made) give_up(made.error());
  house_ = std::move(*made);
  if (auto added = house_->add_agent(std::move(agent)); !added) give_up(added.error());
}

BenchHouse::BenchHouse(const std::filesystem::path& folder, const std::string& state, int capacity, Milliseconds delay)
    : BenchHouse(folder, state, make_noop_agent(AgentId("noop-01"), capacity, delay)) {}

BenchHouse::~BenchHouse() {
  runtime::run_to_end(loop_, house_->close());
}

std::int64_t run_all(BenchHouse& bench, const WorkflowDefinition& definition, int workflows, int in_flight,
                     std::vector<double>& latencies) {
  Share share{bench, definition, latencies, workflows};
  runtime::run_to_end(bench.loop(), lanes(share, in_flight));
  return share.errors;
}

}  // namespace conductorai::bench
