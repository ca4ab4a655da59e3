#include "orchestration/engine/workflow_engine.hpp"

#include <algorithm>

#include "core/codec.hpp"

namespace conductorai::orchestration {

namespace {
constexpr int kEndedLookedAt = 1000;  // newest first

std::vector<Inbound> starting(const History& history) {
  std::vector<Inbound> first;
  first.push_back({.command = core::StartWorkflow{history.start}, .inbox_id = {}});
  return first;
}

/// Or notes that nobody can read it.
std::optional<Inbound> readable(const InboxCommand& command, std::vector<std::int64_t>& unreadable) {
  if (auto decoded = core::decode_command(command.body)) return Inbound{.command = std::move(*decoded), .inbox_id = command.id};
  unreadable.push_back(command.id);
  return std::nullopt;
}

std::unexpected<Error> interrupted_before(const WorkflowId& workflow) {
  return fail(ErrorCode::cancelled, "interrupted before it began", workflow.value);
}
}  // namespace

WorkflowId make_workflow_id(Clock& clock, Entropy& entropy) {
  constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string id(26, '0');
  auto time = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  for (int i = 9; i >= 0; --i, time >>= 5) id[static_cast<std::size_t>(i)] = kCrockford[time & 31];
  for (std::size_t half = 10; half < 26; half += 8) {
    std::uint64_t random = entropy.next();
    for (std::size_t i = half; i < half + 8; ++i, random >>= 5) id[i] = kCrockford[random & 31];
  }
  return WorkflowId("wf-" + id);
}

WorkflowEngine::WorkflowEngine(EnginePorts ports, EngineOptions options, std::filesystem::path project_root)
    : ports_(ports),
      options_(std::move(options)),
      project_root_(std::move(project_root)),
      definitions_(ports.artifacts, ports.clock),
      scope_(ports.executor) {
  ports_.states.on_command([this] { look_into_inbox(); });
}

void WorkflowEngine::look_into_inbox() {
  inbox_changed_ = true;
  if (!runs_.empty() && scope_.running() == 0) scope_.spawn(collect_inbox());
}

WorkflowEngine::~WorkflowEngine() = default;

void WorkflowEngine::interrupt() {
  interrupted_ = true;
  for (auto& [id, run] : runs_) run->interrupt();
}

std::string WorkflowEngine::absolute_repo(const WorkflowDefinition& definition) const {
  const std::string& repo = definition.workspace.repo;
  return repo.empty() ? repo : (project_root_ / repo).lexically_normal().string();
}

task<Result<std::filesystem::path>> WorkflowEngine::repository(WorkflowId workflow, std::shared_ptr<const WorkflowDefinition> definition) {
  return ports_.workspaces.locate(std::move(workflow), absolute_repo(*definition));
}

task<Result<HistoryPtr>> WorkflowEngine::begin(WorkflowId workflow, std::unique_ptr<WorkflowDefinition> definition) {
  if (options_.pin_llm) {
    auto llm = co_await options_.pin_llm(workflow, definition->llm);
    if (!llm) co_return fail(llm.error());
    definition->llm = std::move(*llm);
  }
  auto branch = co_await ports_.workspaces.prepare({.workflow = workflow,
                                                    .repo = absolute_repo(*definition),
                                                    .base = definition->workspace.base,
                                                    .allow_dirty = definition->workspace.allow_dirty});
  if (!branch) co_return fail(branch.error());
  const std::shared_ptr<const WorkflowDefinition> kept = std::move(definition);
  auto pinned = co_await definitions_.pin(kept);
  if (!pinned) co_return fail(pinned.error());
  auto history = std::make_unique<History>(History{.state = core::initial_state(workflow, kept)});
  history->start = {.name = history->state.definition->name,
                    .definition = *pinned,
                    .branch = branch->name,
                    .base_commit = branch->base_commit,
                    .owner = options_.owner,
                    .version = CONDUCTORAI_VERSION};
  history->repo = branch->repo;
  co_return history;
}

task<Result<Shared<core::WorkflowState>>> WorkflowEngine::run_workflow(WorkflowDefinition definition, Watcher watcher) {
  return start(std::make_unique<WorkflowDefinition>(std::move(definition)), std::move(watcher));
}

task<Result<Shared<core::WorkflowState>>> WorkflowEngine::start(std::unique_ptr<WorkflowDefinition> definition, Watcher watcher) {
  const WorkflowId workflow = make_workflow_id(ports_.clock, ports_.entropy);
  auto history = co_await begin(workflow, std::move(definition));
  if (!history) co_return fail(history.error());
  std::vector<Inbound> first = starting(**history);
  co_return co_await drive(workflow, std::move(*history), 1, std::move(first), std::move(watcher), WorkflowRun::Mode::work);
}

task<Result<WorkflowEngine::Owned>> WorkflowEngine::own(WorkflowId workflow) {
  if (auto known = co_await ports_.states.get(workflow); !known) co_return fail(known.error());
  auto claimed = co_await ports_.states.claim(workflow, options_.owner);
  if (!claimed) co_return fail(claimed.error());
  auto history = co_await load_history(ports_.states, definitions_, workflow);
  if (history) {
    auto repo = co_await repository(workflow, (*history)->state.definition);
    if (repo)
      (*history)->repo = std::move(*repo);
    else
      history = fail(repo.error());
  }
  auto commands = co_await waiting_commands(workflow);
  if (history && commands) co_return Owned{std::move(*history), std::move(*commands), claimed->epoch};
  (void)co_await ports_.states.release(workflow);
  co_return fail(history ? commands.error() : history.error());
}

task<Result<Shared<core::WorkflowState>>> WorkflowEngine::resume_workflow(WorkflowId workflow, RunOverrides overrides, std::string by,
                                                                          Watcher watcher) {
  auto owned = co_await own(workflow);
  if (!owned) co_return fail(owned.error());
  const core::WorkflowState& state = owned->history->state;
  if (core::terminal(state)) {
    const auto ended = core::status(state);
    auto settled = co_await drive(workflow, std::move(owned->history), owned->epoch, {}, {}, WorkflowRun::Mode::apply_only);
    if (!settled) co_return settled;
    co_return fail(ErrorCode::conflict, "the workflow has ended: " + std::string(to_string(ended)), workflow.value,
                   "conductorai retry reopens a FAILED one");
  }
  std::vector<Inbound> commands;
  commands.push_back({.command = core::ClaimWorkflow{options_.owner}, .inbox_id = {}});
  const bool paused = core::status(state) == WorkflowStatus::paused;
  if (paused || overrides != RunOverrides{}) commands.push_back({.command = core::Resume{by, overrides}, .inbox_id = {}});
  std::ranges::move(owned->commands, std::back_inserter(commands));
  co_return co_await drive(workflow, std::move(owned->history), owned->epoch, std::move(commands), std::move(watcher),
                           WorkflowRun::Mode::work);
}

task<Result<Shared<core::WorkflowState>>> WorkflowEngine::drive(WorkflowId workflow, HistoryPtr history, std::uint64_t epoch,
                                                                std::vector<Inbound> first, Watcher watcher, WorkflowRun::Mode mode) {
  if (interrupted_) {
    (void)co_await ports_.states.release(workflow);
    co_return interrupted_before(workflow);
  }
  auto [it, fresh] =
      runs_.emplace(workflow, std::make_unique<WorkflowRun>(ports_, options_, std::move(*history), epoch, std::move(watcher), mode));
  history.reset();
  if (epoch > 1) look_into_inbox();  // a command that came while the workflow was being taken over woke nobody
  WorkflowRun& run = *it->second;
  auto ended = co_await run.run(std::move(first));
  auto kept = runs_.extract(it);
  const bool lost = !ended && (ended.error().code == ErrorCode::fenced || ended.error().code == ErrorCode::conflict);
  Result<bool> left_over = false;
  if (!lost || mode == WorkflowRun::Mode::apply_only) left_over = co_await ports_.states.release(workflow);
  if (!ended) co_return fail(ended.error());
  Shared<core::WorkflowState> state = run.take_state();
  if (mode == WorkflowRun::Mode::apply_only || interrupted_ || !left_over.value_or(false)) co_return state;
  co_return co_await apply_left_over(std::move(state));
}

/// Commands that came after the last one was looked for.
task<Result<Shared<core::WorkflowState>>> WorkflowEngine::apply_left_over(Shared<core::WorkflowState> state) {
  if (auto applied = co_await take_and_apply(state->id); !applied) co_return state;  // another one took it, or the command no longer fits
  auto now = co_await get_workflow_state(state->id);
  if (!now) co_return fail(now.error());
  co_return std::move(*now);
}

task<Result<void>> WorkflowEngine::settle_ended() {
  auto listed = co_await ports_.states.list(
      {.statuses = {WorkflowStatus::completed, WorkflowStatus::failed, WorkflowStatus::cancelled}, .limit = kEndedLookedAt});
  if (!listed) co_return fail(listed.error());
  for (const WorkflowSummary& summary : *listed) {
    if (!summary.owner.empty() && !summary.owner_alive) co_await settle(summary.id);
  }
  co_return Result<void>{};
}

task<void> WorkflowEngine::settle(WorkflowId workflow) {
  auto owned = co_await own(workflow);
  if (!owned) co_return;  // taken by somebody else meanwhile, or its repository is gone
  (void)co_await drive(workflow, std::move(owned->history), owned->epoch, {}, {}, WorkflowRun::Mode::apply_only);
}

task<Result<std::vector<Inbound>>> WorkflowEngine::waiting_commands(WorkflowId workflow) {
  auto stored = co_await ports_.states.commands(workflow);
  if (!stored) co_return fail(stored.error());
  std::vector<Inbound> inbound;
  std::vector<std::int64_t> unreadable;
  for (const InboxCommand& command : *stored)
    if (auto one = readable(command, unreadable)) inbound.push_back(std::move(*one));
  if (!unreadable.empty()) (void)co_await ports_.states.discard_commands(std::move(unreadable));
  co_return inbound;
}

task<void> WorkflowEngine::collect_inbox() {
  while (std::exchange(inbox_changed_, false)) {
    auto stored = co_await ports_.states.commands(WorkflowId());
    if (!stored) continue;
    std::vector<std::int64_t> unreadable;
    for (const InboxCommand& command : *stored) {
      auto addressed = runs_.find(command.workflow);
      if (addressed == runs_.end()) continue;
      if (auto inbound = readable(command, unreadable)) addressed->second->post(std::move(*inbound));
    }
    if (!unreadable.empty()) (void)co_await ports_.states.discard_commands(std::move(unreadable));
  }
}

task<void> WorkflowEngine::close() {
  ports_.states.on_command({});
  co_await scope_.join();
}

task<Result<void>> WorkflowEngine::control(WorkflowId workflow, core::Command command) {
  // Refuse at once what does not fit now; what fits is durable before anyone acts on it.
  auto state = co_await get_workflow_state(workflow);
  if (!state) co_return fail(state.error());
  core::Context context{
      .now = ports_.clock.now(), .check = [this](const PolicyContext& about) { return ports_.policies.check(about); }, .env = {}};
  if (auto decided = core::decide(*state, command, context); !decided) co_return fail(decided.error().error);
  auto posted = co_await ports_.states.post_command(workflow, core::encode_command(command));
  if (!posted) co_return fail(posted.error());
  if (auto it = runs_.find(workflow); it != runs_.end()) co_return Result<void>{};
  auto summary = co_await ports_.states.get(workflow);
  if (!summary) co_return fail(summary.error());
  if (summary->owner_alive) co_return Result<void>{};
  auto applied = co_await take_and_apply(workflow);
  if (!applied && applied.error().code == ErrorCode::conflict)
    co_return Result<void>{};  // somebody took it meanwhile and finds the command
  co_return applied;
}

task<Result<void>> WorkflowEngine::take_and_apply(WorkflowId workflow) {
  auto owned = co_await own(workflow);
  if (!owned) co_return fail(owned.error());
  auto ended =
      co_await drive(workflow, std::move(owned->history), owned->epoch, std::move(owned->commands), {}, WorkflowRun::Mode::apply_only);
  if (!ended) co_return fail(ended.error());
  co_return Result<void>{};
}

task<Result<core::WorkflowState>> WorkflowEngine::get_workflow_state(WorkflowId workflow) {
  if (auto it = runs_.find(workflow); it != runs_.end()) co_return it->second->state();
  auto history = co_await load_history(ports_.states, definitions_, workflow);
  if (!history) co_return fail(history.error());
  co_return std::move((*history)->state);
}

std::map<TaskId, std::string> WorkflowEngine::waiting_reasons(const WorkflowId& workflow) const {
  std::map<TaskId, std::string> reasons;
  auto it = runs_.find(workflow);
  if (it == runs_.end()) return reasons;
  for (const TaskId& id : it->second->state().live) {
    const core::TaskRecord& task = it->second->state().tasks.at(id);
    const auto* live = std::get_if<core::task_state::Live>(&task.machine);
    if (live == nullptr) continue;
    auto reason = ports_.coordinator.waiting_reason({workflow, id, task.round, live->attempt});
    if (!reason.empty()) reasons.emplace(id, std::move(reason));
  }
  return reasons;
}

}  // namespace conductorai::orchestration
