// recover: unfinished workflows of many events, taken over by a fresh process.

#include "bench/noop_work.hpp"
#include "core/codec.hpp"
#include "core/decide.hpp"
#include "runtime/scope.hpp"

namespace conductorai::bench {
namespace {

constexpr int kTasks = 110;
constexpr std::size_t kEvents = 100;

struct Recorded {
  std::vector<std::string> bodies;  // a row an event
  WorkflowSummary summary;
};

/// The first events of a long chain, one row each, as the engine would have written them.
Recorded record(const WorkflowId& workflow, const std::shared_ptr<const WorkflowDefinition>& definition, const Digest& pinned) {
  Recorded out;
  core::WorkflowState state = core::initial_state(workflow, definition);
  std::string last;
  core::Command command = core::StartWorkflow{{.name = definition->name, .definition = pinned, .branch = "b", .base_commit = "c"}};
  for (std::size_t row = 0; out.bodies.size() < kEvents; ++row) {
    auto events = core::decide_and_evolve(state, command, {.now = Timestamp(Milliseconds(1'000 + static_cast<int>(row)))});
    if (!events) break;
    const core::RowHeader header{
        .workflow = workflow, .first_seq = state.last_seq - events->size() + 1, .at = {}, .epoch = 1, .prev_sha256 = last};
    out.bodies.push_back(core::encode_row(header, *events));
    last = core::sha256_hex(out.bodies.back());
    TaskResult result{
        .id = {workflow, TaskId("t" + std::to_string(row)), 1, 1}, .agent = AgentId("noop-01"), .status = ResultStatus::completed};
    result.outputs = Object{{"text", std::string(200, 'x')}};
    command = core::RecordResult{.result = std::move(result)};
  }
  out.summary = {.id = workflow, .name = "bench", .status = WorkflowStatus::in_progress, .last_seq = state.last_seq};
  return out;
}

task<void> write(StateManager& states, Recorded recorded, std::int64_t& errors) {
  for (std::size_t i = 0; i < recorded.bodies.size(); ++i) {
    AppendRequest request{
        .row = {.workflow = recorded.summary.id, .first_seq = i + 1, .count = 1, .at = {}, .epoch = 1, .body = recorded.bodies[i]},
        .summary = recorded.summary,
        .consumed_commands = {}};
    auto appended = co_await states.append(std::move(request));
    if (!appended) ++errors;
  }
  (void)co_await states.release(recorded.summary.id);
}

task<void> write_all(BenchHouse& bench, int workflows, std::int64_t& errors) {
  auto definition = std::make_shared<const WorkflowDefinition>(long_chain(kTasks));
  auto pinned = co_await bench.house().artifacts->save({.workflow = WorkflowId("wf-0"), .type = "definition", .name = "workflow.json"},
                                                       core::encode_definition(*definition));
  if (!pinned) {
    ++errors;
    co_return;
  }
  for (int done = 0; done < workflows; done += 64) {
    runtime::TaskScope scope(bench.loop());
    for (int i = done; i < std::min(workflows, done + 64); ++i)
      scope.spawn(write(*bench.house().states, record(WorkflowId("wf-" + std::to_string(i)), definition, pinned->digest), errors));
    co_await scope.join();
  }
}

struct Recovery {
  BenchHouse& bench;
  int left;
  std::int64_t errors = 0;
  double first_effect_s = 0;
};

task<void> take_over(Recovery& recovery, const Stopwatch& watch) {
  while (recovery.left > 0) {
    const WorkflowId workflow("wf-" + std::to_string(--recovery.left));
    auto ended = co_await recovery.bench.house().engine->resume_workflow(workflow, {}, "bench", [&](const EventRecord& event) {
      if (recovery.first_effect_s == 0 && event.event == "task.completed") recovery.first_effect_s = watch.seconds();
    });
    if (!ended || core::status(*ended) != WorkflowStatus::completed) ++recovery.errors;
  }
}

task<void> take_over_all(Recovery& recovery, const Stopwatch& watch, int in_flight) {
  runtime::TaskScope scope(recovery.bench.loop());
  for (int i = 0; i < in_flight; ++i) scope.spawn(take_over(recovery, watch));
  co_await scope.join();
}

}  // namespace

int run_recover(const Settings& settings) {
  const int workflows = settings.workflows > 0 ? settings.workflows : 10'000;
  WorkFolder folder;
  std::int64_t errors = 0;
  {
    BenchHouse bench(folder.path(), "sqlite", 1'000);
    runtime::run_to_end(bench.loop(), write_all(bench, workflows, errors));
  }
  Measurement out{.work = "recover", .variant = "sqlite", .n = workflows, .in_flight = settings.in_flight};
  const Stopwatch watch;
  BenchHouse bench(folder.path(), "sqlite", 10'000);
  Recovery recovery{bench, workflows};
  runtime::run_to_end(bench.loop(), take_over_all(recovery, watch, settings.in_flight));
  watch.end(out);
  out.errors = errors + recovery.errors;
  print(out, settings.json);
  print_ratio("first effect after, s", recovery.first_effect_s, "at most 1", settings.json);
  print_ratio("all of them after, s", out.wall_s, "at most 10 of 10,000", settings.json);
  return static_cast<int>(out.errors);
}

}  // namespace conductorai::bench
