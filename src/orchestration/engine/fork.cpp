// WorkflowEngine: forks. All that the new workflow needs is in its own name before its first row is written; without that row there is
// none.

#include "core/fork.hpp"

#include "base/crash_point.hpp"
#include "core/codec.hpp"
#include "orchestration/engine/workflow_engine.hpp"

namespace conductorai::orchestration {

namespace {

std::set<AttemptId> attempts_of(const std::vector<Event>& kept, const WorkflowId& from) {
  std::set<AttemptId> attempts;
  const auto add = [&](AttemptId id) {
    id.workflow = from;
    attempts.insert(std::move(id));
  };
  for (const Event& event : kept) {
    if (const auto* done = std::get_if<TaskCompleted>(&event)) add(done->id);
    if (const auto* failed = std::get_if<TaskFailed>(&event)) add(failed->id);
  }
  return attempts;
}

Result<WorkflowDefinition> with_inputs(WorkflowDefinition definition, const Object& inputs) {
  for (const auto& [name, value] : inputs) {
    if (!definition.inputs.contains(name)) return fail(ErrorCode::invalid_argument, "the workflow has no such input", name);
    definition.inputs.insert_or_assign(name, value);
  }
  return definition;
}

}  // namespace

task<Result<void>> WorkflowEngine::take_artifacts(WorkflowId workflow, WorkflowId from, std::set<AttemptId> attempts) {
  auto records = co_await ports_.artifacts.query({.workflow = from, .task = {}, .agent = {}, .type = {}, .name = {}, .limit = 0});
  if (!records) co_return fail(records.error());
  for (ArtifactRecord& record : *records) {
    const bool of_workflow = record.task.empty();  // its model's script
    if (!of_workflow && !attempts.contains({from, record.task, record.round, record.attempt})) continue;
    record.workflow = workflow;
    auto taken = co_await ports_.artifacts.refer(std::move(record));
    if (!taken) co_return fail(taken.error());
  }
  co_return Result<void>{};
}

task<Result<PinnedDefinitions::Definition>> WorkflowEngine::fork_definition(WorkflowStarted& started, Object inputs) {
  auto definition = co_await definitions_.load(started.definition);
  if (!definition || inputs.empty()) co_return definition;
  auto changed = with_inputs(**definition, inputs);
  if (!changed) co_return fail(changed.error());
  definition = std::make_shared<const WorkflowDefinition>(std::move(*changed));
  auto pinned = co_await definitions_.pin(*definition);
  if (!pinned) co_return fail(pinned.error());
  started.definition = *pinned;
  co_return definition;
}

/// Artifacts and commits, under the new workflow's name: they stay when the other one is removed.
task<Result<Branch>> WorkflowEngine::prepare_fork(WorkflowId workflow, const core::ForkWorkflow& fork, std::string repo) {
  const WorkflowId from = fork.forked.workflow;
  std::string base = fork.started.base_commit;
  std::string head = core::head_after(fork.kept);
  if (head.empty()) head = base;
  auto taken = co_await take_artifacts(workflow, from, attempts_of(fork.kept, from));
  if (!taken) co_return fail(taken.error());
  BranchRequest request{.workflow = workflow, .repo = std::move(repo), .base = std::move(base)};
  co_return co_await ports_.workspaces.prepare_fork(from, std::move(request), std::move(head));
}

task<Result<HistoryPtr>> WorkflowEngine::begin_fork(WorkflowId workflow, core::ForkWorkflow& fork, Object inputs) {
  auto definition = co_await fork_definition(fork.started, std::move(inputs));
  if (!definition) co_return fail(definition.error());
  const Timestamp approvals_until = ports_.clock.now() + (*definition)->policies.approval_timeout;
  auto kept = core::events_before(fork.kept, fork.forked.seq, workflow, approvals_until);
  if (!kept) co_return fail(kept.error());
  fork.kept = std::move(*kept);
  if (fork.overrides.llm && options_.pin_llm) {
    auto llm = co_await options_.pin_llm(workflow, *fork.overrides.llm);
    if (!llm) co_return fail(llm.error());
    fork.overrides.llm = std::move(*llm);
  }
  auto branch = co_await prepare_fork(workflow, fork, absolute_repo(**definition));
  if (!branch) co_return fail(branch.error());
  fork.started.branch = branch->name;
  auto history = std::make_unique<History>(History{.state = core::initial_state(workflow, std::move(*definition))});
  history->repo = branch->repo;
  co_return history;
}

task<Result<Shared<core::WorkflowState>>> WorkflowEngine::fork_workflow(ForkRequest request, Watcher watcher) {
  auto events = co_await load_events(ports_.states, request.workflow);
  if (!events) co_return fail(events.error());
  const auto* parent = std::get_if<WorkflowStarted>(&events->front());
  if (parent == nullptr)
    co_return fail(ErrorCode::data_corrupted, "the journal does not begin with workflow.started", request.workflow.value);
  Result<std::uint64_t> seq = request.seq.value_or(1);
  if (request.task) seq = core::first_result_of(*events, *request.task);
  if (!seq) co_return fail(seq.error());
  core::ForkWorkflow fork{.started = *parent,
                          .forked = {.workflow = std::move(request.workflow), .seq = *seq, .by = std::move(request.by)},
                          .kept = std::move(*events),
                          .overrides = std::move(request.overrides)};
  fork.started.owner = options_.owner;
  fork.started.version = CONDUCTORAI_VERSION;
  const WorkflowId workflow = make_workflow_id(ports_.clock, ports_.entropy);
  auto ended = co_await run_fork(workflow, std::move(fork), std::move(request.inputs), std::move(watcher));
  if (ended) co_return ended;
  auto begun = co_await ports_.states.get(workflow);
  if (!begun && begun.error().code == ErrorCode::not_found) {  // what was prepared for it is nobody's
    (void)co_await ports_.artifacts.remove_workflows({workflow});
    (void)co_await ports_.workspaces.remove_workflow(workflow);
  }
  co_return ended;
}

task<Result<Shared<core::WorkflowState>>> WorkflowEngine::run_fork(WorkflowId workflow, core::ForkWorkflow fork, Object inputs,
                                                                   Watcher watcher) {
  auto history = co_await begin_fork(workflow, fork, std::move(inputs));
  if (!history) co_return fail(history.error());
  crash_point("fork.before_append");
  std::vector<Inbound> first;
  first.push_back({.command = std::move(fork), .inbox_id = {}});
  co_return co_await drive(workflow, std::move(*history), 1, std::move(first), std::move(watcher), WorkflowRun::Mode::work);
}

}  // namespace conductorai::orchestration
