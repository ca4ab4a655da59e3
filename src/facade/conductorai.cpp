#include "conductorai/conductorai.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "core/codec.hpp"
#include "core/decide.hpp"
#include "core/message_codec.hpp"
#include "facade/forecast.hpp"
#include "facade/house.hpp"
#include "facade/prune.hpp"
#include "facade/view.hpp"
#include "facade/watch_release.hpp"
#include "runtime/scope.hpp"

namespace conductorai {

namespace {

constexpr std::int64_t kCheckTokensMax = 1'024;  // enough for a model that thinks first

core::Command to_core(ControlCommand command) {
  struct Translate {
    core::Command operator()(PauseWorkflow c) const { return core::Pause{PauseKind::user, "paused by " + c.by}; }
    core::Command operator()(CancelWorkflow c) const { return core::Cancel{std::move(c.by), std::move(c.reason)}; }
    core::Command operator()(ResolveApproval c) const {
      return core::Resolve{std::move(c.approval), c.approve, std::move(c.by), std::move(c.comment)};
    }
    core::Command operator()(RetryWorkflow c) const { return core::RetryFailed{std::move(c.by), std::move(c.task)}; }
  };
  return std::visit(Translate{}, std::move(command));
}

bool is_over(const WorkflowSummary& summary) {
  return summary.status != WorkflowStatus::in_progress && summary.status != WorkflowStatus::pending;
}

}  // namespace

class ConductorAI::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), scope_(loop_) {}
  ~Impl() { ::close(wake_); }

  template <class T>
  T run(task<T> work) {
    return runtime::run_to_end(loop_, std::move(work));
  }

  Result<void> initialize();
  void shutdown();
  Result<void> add(std::unique_ptr<BaseAgent> agent);
  void interrupt() noexcept;
  task<std::optional<ReleaseInfo>> newest_release(const core::WorkflowState& state);
  task<Result<WorkflowView>> view(core::WorkflowState state);
  task<Result<WorkflowView>> run_workflow(WorkflowDefinition definition, orchestration::Watcher watcher);
  task<Result<WorkflowView>> fork(ForkRequest request, orchestration::Watcher watcher);
  task<Result<WorkflowView>> resume(WorkflowId id, RunOverrides overrides, orchestration::Watcher watcher);
  task<Result<void>> control(WorkflowId id, core::Command command);
  task<Result<WorkflowView>> state_of(WorkflowId id);
  task<Result<void>> read_events(WorkflowId id, std::uint64_t from, bool follow, std::function<void(const EventRecord&)> on_event);
  task<Result<void>> watch(WorkflowId id, std::uint64_t from, std::function<void(const EventRecord&)> on_event,
                           std::function<void(const AnswerPiece&)> on_text);
  task<Result<std::uint64_t>> emit_from(WorkflowId id, std::uint64_t from, std::function<void(const EventRecord&)> on_event);
  task<Result<std::shared_ptr<const WorkflowDefinition>>> definition_of(WorkflowId id);
  task<Result<void>> requeue(DeadLetter letter);
  task<Result<void>> resolve_dead_letter(std::int64_t id, bool again);

  task<Result<PruneReport>> prune(PruneRequest request);
  task<Result<MonitorReport>> monitor_release(MonitorRequest request);
  task<Result<std::vector<std::string>>> list_models(std::string provider);
  task<Result<LlmCheck>> check_model(LlmDefinition llm);

  [[nodiscard]] facade::House& house() { return *house_; }
  [[nodiscard]] Timestamp now() { return loop_.now(); }
  [[nodiscard]] const facade::House* maybe_house() const { return house_.get(); }

 private:
  void forget(const WorkflowId& id) {
    house_->models->forget(id);
    if (house_->forget_text) house_->forget_text(id);
  }
  task<void> watch_interrupts();
  task<Result<void>> settle_once();

  Options options_;
  runtime::Loop loop_;
  int wake_;
  CancelSource following_;  // read_events in follow mode
  std::unique_ptr<facade::House> house_;
  std::vector<std::unique_ptr<BaseAgent>> early_;  // registered before initialize
  bool settled_ = false;                           // ended workflows of dead owners
  runtime::TaskScope scope_;
};

Result<void> ConductorAI::Impl::initialize() {
  if (house_) return fail(ErrorCode::already_exists, "initialize was called before");
  auto made = facade::assemble(loop_, options_);
  if (!made) return fail(made.error());
  house_ = std::move(*made);
  if (options_.on_progress)
    house_->progress = house_->bus->subscribe("conductor:workflow:*", [this](MessagePtr message) -> Result<void> {
      if (const auto* progress = std::get_if<Progress>(&message->body))
        options_.on_progress(progress->id.task.value + ": " + progress->text);
      return {};
    });
  scope_.spawn(watch_interrupts());
  for (auto& agent : std::exchange(early_, {}))
    if (auto added = house_->add_agent(std::move(agent)); !added) return added;
  return {};
}

// What an ended workflow's dead owner left undone is done by the next who looks at a workflow or changes one; a mere list costs nothing.
task<Result<void>> ConductorAI::Impl::settle_once() {
  if (std::exchange(settled_, true)) co_return Result<void>{};
  auto settled = co_await house_->engine->settle_ended();
  co_return settled;
}

void ConductorAI::Impl::shutdown() {
  if (!house_) return;
  scope_.cancel();
  run(scope_.join());
  run(house_->close());
  house_.reset();
}

Result<void> ConductorAI::Impl::add(std::unique_ptr<BaseAgent> agent) {
  if (house_) return house_->add_agent(std::move(agent));
  early_.push_back(std::move(agent));
  return {};
}

void ConductorAI::Impl::interrupt() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(wake_, &one, sizeof one);
}

task<void> ConductorAI::Impl::watch_interrupts() {
  auto woken = co_await loop_.readable(wake_);
  if (!woken) co_return;
  house_->interrupt();
  following_.cancel();
}

// A release changes after its deployment, so it is asked of who owns it; only workflows that deploy pay for that.
task<std::optional<ReleaseInfo>> ConductorAI::Impl::newest_release(const core::WorkflowState& state) {
  const auto deploys = [&](const TaskId& id) { return state.tasks.at(id).definition->agent.str() == "deploying"; };
  if (!house_->releases || std::ranges::none_of(state.order, deploys)) co_return std::nullopt;
  const WorkflowId workflow = state.id;
  auto listed = co_await house_->releases->list();
  if (!listed) co_return std::nullopt;
  const auto newest = std::ranges::find(*listed, workflow, &ReleaseInfo::workflow);
  if (newest == listed->end()) co_return std::nullopt;
  co_return *newest;
}

task<Result<WorkflowView>> ConductorAI::Impl::view(core::WorkflowState state) {
  facade::ViewSources sources{.now = loop_.now()};
  auto summary = co_await house_->states->get(state.id);
  if (!summary) co_return fail(summary.error());
  sources.summary = std::move(*summary);
  auto steps = co_await house_->states->list_steps(state.id);
  if (!steps) co_return fail(steps.error());
  sources.steps = std::move(*steps);
  sources.waiting = house_->engine->waiting_reasons(state.id);
  if (sources.summary.owner_alive && sources.summary.owner != house_->owner) {
    auto agents = co_await house_->states->agent_states();
    if (agents) sources.waiting = facade::waiting_elsewhere(state, *agents, *house_->policies, sources.now);
  }
  sources.release = co_await newest_release(state);
  auto repo = co_await house_->engine->repository(state.id, state.definition);
  if (repo) {
    sources.repo = *repo;
    if (!state.head.empty()) {
      auto tree = co_await house_->workspaces->tree_of(*repo, state.head);
      if (tree) sources.tree = std::move(*tree);
    }
  }
  co_return facade::make_view(state, sources);
}

task<Result<WorkflowView>> ConductorAI::Impl::run_workflow(WorkflowDefinition definition, orchestration::Watcher watcher) {
  auto settled = co_await settle_once();
  if (!settled) co_return fail(settled.error());
  definition::name_phases(definition, house_->descriptions);
  auto ended = co_await house_->engine->run_workflow(std::move(definition), std::move(watcher));
  if (!ended) co_return fail(ended.error());
  forget((*ended)->id);
  co_return co_await view(std::move(*ended));
}

task<Result<WorkflowView>> ConductorAI::Impl::fork(ForkRequest request, orchestration::Watcher watcher) {
  auto settled = co_await settle_once();
  if (!settled) co_return fail(settled.error());
  auto ended = co_await house_->engine->fork_workflow(std::move(request), std::move(watcher));
  if (!ended) co_return fail(ended.error());
  forget((*ended)->id);
  co_return co_await view(std::move(*ended));
}

task<Result<WorkflowView>> ConductorAI::Impl::resume(WorkflowId id, RunOverrides overrides, orchestration::Watcher watcher) {
  auto settled = co_await settle_once();
  if (!settled) co_return fail(settled.error());
  if (overrides.llm) {
    auto pinned = co_await house_->models->pin(id, *overrides.llm, options_.project_root);
    if (!pinned) co_return fail(pinned.error());
    overrides.llm = std::move(*pinned);
  }
  auto ended = co_await house_->engine->resume_workflow(id, std::move(overrides), house_->owner, std::move(watcher));
  forget(id);
  if (!ended) co_return fail(ended.error());
  co_return co_await view(std::move(*ended));
}

task<Result<void>> ConductorAI::Impl::control(WorkflowId id, core::Command command) {
  auto settled = co_await settle_once();
  if (!settled) co_return fail(settled.error());
  auto told = co_await house_->engine->control(std::move(id), std::move(command));
  co_return told;
}

task<Result<WorkflowView>> ConductorAI::Impl::state_of(WorkflowId id) {
  auto settled = co_await settle_once();
  if (!settled) co_return fail(settled.error());
  auto state = co_await house_->engine->get_workflow_state(id);
  if (!state) co_return fail(state.error());
  co_return co_await view(std::move(*state));
}

task<Result<std::uint64_t>> ConductorAI::Impl::emit_from(WorkflowId id, std::uint64_t from,
                                                         std::function<void(const EventRecord&)> on_event) {
  auto rows = co_await house_->states->load(id, from, 0);
  if (!rows) co_return fail(rows.error());
  for (const JournalRow& stored : *rows) {
    auto row = core::decode_row(stored.body);
    if (!row) co_return fail(row.error());
    for (const EventRecord& record : orchestration::event_records(*row))
      if (record.seq >= from) on_event(record);
    from = std::max(from, stored.first_seq + stored.count);
  }
  co_return from;
}

task<Result<void>> ConductorAI::Impl::read_events(WorkflowId id, std::uint64_t from, bool follow,
                                                  std::function<void(const EventRecord&)> on_event) {
  auto settled = co_await settle_once();
  if (!settled) co_return fail(settled.error());
  TaskEnvironment environment = co_await current_environment();
  while (true) {
    auto summary = co_await house_->states->get(id);
    if (!summary) co_return fail(summary.error());
    auto next = co_await emit_from(id, from, on_event);
    if (!next) co_return fail(next.error());
    from = *next;
    if (!follow || from <= summary->last_seq) {
      if (!follow) co_return Result<void>{};
      continue;
    }
    if (is_over(*summary) || !summary->owner_alive) co_return Result<void>{};
    auto changed = co_await house_->states->wait_for_change(id).in({environment.executor, &following_});
    if (!changed) co_return changed.error().code == ErrorCode::cancelled ? Result<void>{} : changed;
  }
}

task<Result<void>> ConductorAI::Impl::watch(WorkflowId id, std::uint64_t from, std::function<void(const EventRecord&)> on_event,
                                            std::function<void(const AnswerPiece&)> on_text) {
  const auto close = facade::follow_text(loop_, options_, id, std::move(on_text));
  auto read = co_await read_events(id, from, true, std::move(on_event));
  co_await close();
  co_return read;
}

task<Result<PruneReport>> ConductorAI::Impl::prune(PruneRequest request) {
  auto settled = co_await settle_once();
  if (!settled) co_return fail(settled.error());
  co_return co_await facade::prune(*house_, loop_.now(), std::move(request));
}

task<Result<MonitorReport>> ConductorAI::Impl::monitor_release(MonitorRequest request) {
  auto work = facade::watch_release(*house_, loop_, std::move(request));
  auto report = co_await std::move(work).in({&loop_, &following_});
  co_return report;
}

task<Result<std::vector<std::string>>> ConductorAI::Impl::list_models(std::string provider) {
  auto opened = house_->llm_services->open(provider, {});
  if (!opened) co_return fail(opened.error());
  auto work = (*opened)->models();
  auto names = co_await std::move(work).in({&loop_, &following_});
  co_return names;
}

task<Result<LlmCheck>> ConductorAI::Impl::check_model(LlmDefinition llm) {
  auto opened = house_->llm_services->open(llm.provider, llm.model);
  if (!opened) co_return fail(opened.error());
  LLMRequest request;
  request.messages = {{.role = Role::user, .text = "Answer with the one word: ready", .tool_calls = {}, .tool_call_id = {}}};
  request.output_tokens_max = kCheckTokensMax;
  const Instant asked_at = loop_.steady_now();
  auto work = (*opened)->chat(std::move(request));
  auto answer = co_await std::move(work).in({&loop_, &following_});
  if (!answer) co_return fail(answer.error());
  auto price = house_->llm_services->price_of(llm.provider, answer->model);
  if (answer->finish == FinishReason::refusal || answer->finish == FinishReason::content_filter)
    co_return fail(ErrorCode::invalid_answer, "the model answered with a refusal (" + std::string(to_string(answer->finish)) + ")",
                   llm.provider, "key, address and name are right: it does not answer what it is asked");
  const agents::SecretMask mask(house_->secrets->values());
  LlmCheck check{.provider = llm.provider,
                 .model = mask.text(answer->model),
                 .answer = mask.text(answer->text),
                 .finish = answer->finish,
                 .usage = answer->usage};
  if (price && *price) check.usage.usd_micros = integrations::cost(**price, *answer);
  check.duration_ms = std::chrono::duration_cast<Milliseconds>(loop_.steady_now() - asked_at).count();
  co_return check;
}

task<Result<std::shared_ptr<const WorkflowDefinition>>> ConductorAI::Impl::definition_of(WorkflowId id) {
  auto state = co_await house_->engine->get_workflow_state(id);
  if (!state) co_return fail(state.error());
  co_return state->definition;
}

// An attempt belongs to its workflow, which has failed without it: the wish to try it again is journaled there, and only then is the
// letter taken away.
task<Result<void>> ConductorAI::Impl::requeue(DeadLetter letter) {
  auto message = core::decode_message(letter.message);
  const auto* attempt = message ? std::get_if<Shared<TaskAssignment>>(&message->body) : nullptr;
  if (attempt == nullptr) {
    auto published = co_await house_->requeue(letter.id);
    co_return published;
  }
  core::RetryFailed wish{"dead letter " + std::to_string(letter.id), (*attempt)->id.task};
  auto opened = co_await house_->engine->control((*attempt)->id.workflow, std::move(wish));
  if (!opened) co_return fail(opened.error());
  auto taken = co_await house_->states->take_dead_letter(letter.id);
  if (!taken) co_return fail(taken.error());
  co_return Result<void>{};
}

task<Result<void>> ConductorAI::Impl::resolve_dead_letter(std::int64_t id, bool again) {
  auto letters = co_await house_->states->dead_letters();
  if (!letters) co_return fail(letters.error());
  const auto letter = std::ranges::find(*letters, id, &DeadLetter::id);
  if (letter == letters->end()) co_return fail(ErrorCode::not_found, "no such dead letter", std::to_string(id));
  if (again) {
    auto requeued = co_await requeue(std::move(*letter));
    co_return requeued;
  }
  auto taken = co_await house_->states->take_dead_letter(id);
  if (!taken) co_return fail(taken.error());
  co_return Result<void>{};
}

ConductorAI::ConductorAI(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
ConductorAI::~ConductorAI() {
  impl_->shutdown();
}

Result<void> ConductorAI::initialize() {
  return impl_->initialize();
}
void ConductorAI::shutdown() {
  impl_->shutdown();
}
Result<void> ConductorAI::register_agent(std::unique_ptr<BaseAgent> agent) {
  return impl_->add(std::move(agent));
}

std::vector<AgentDescription> ConductorAI::agent_descriptions() const {
  const auto* house = impl_->maybe_house();
  return house == nullptr ? std::vector<AgentDescription>{} : house->descriptions;
}

std::vector<AgentDescription> ConductorAI::built_in_agents() {
  return facade::built_in_agents();
}

Result<WorkflowView> ConductorAI::run_workflow(WorkflowDefinition definition, std::function<void(const EventRecord&)> on_event) {
  return impl_->run(impl_->run_workflow(std::move(definition), std::move(on_event)));
}
Result<WorkflowView> ConductorAI::resume_workflow(WorkflowId id, RunOverrides overrides, std::function<void(const EventRecord&)> on_event) {
  return impl_->run(impl_->resume(std::move(id), std::move(overrides), std::move(on_event)));
}
Result<WorkflowView> ConductorAI::fork_workflow(ForkRequest request, std::function<void(const EventRecord&)> on_event) {
  return impl_->run(impl_->fork(std::move(request), std::move(on_event)));
}
Result<void> ConductorAI::control(WorkflowId id, ControlCommand command) {
  return impl_->run(impl_->control(std::move(id), to_core(std::move(command))));
}
Result<WorkflowView> ConductorAI::get_workflow_state(WorkflowId id) {
  return impl_->run(impl_->state_of(std::move(id)));
}
Result<std::vector<WorkflowSummary>> ConductorAI::list_workflows(WorkflowFilter filter) {
  return impl_->run(impl_->house().states->list(std::move(filter)));
}
Result<void> ConductorAI::read_events(WorkflowId id, std::uint64_t from_seq, bool follow, std::function<void(const EventRecord&)> on_event,
                                      std::function<void(const AnswerPiece&)> on_text) {
  if (follow && on_text) return impl_->run(impl_->watch(std::move(id), from_seq, std::move(on_event), std::move(on_text)));
  return impl_->run(impl_->read_events(std::move(id), from_seq, follow, std::move(on_event)));
}
Result<std::shared_ptr<const WorkflowDefinition>> ConductorAI::get_definition(WorkflowId id) {
  return impl_->run(impl_->definition_of(std::move(id)));
}
Result<PruneReport> ConductorAI::prune(PruneRequest request) {
  return impl_->run(impl_->prune(std::move(request)));
}
Result<std::string> ConductorAI::get_artifact(Digest digest) {
  return impl_->run(impl_->house().artifacts->get(std::move(digest)));
}
Result<std::vector<ArtifactRecord>> ConductorAI::query_artifacts(ArtifactQuery query) {
  return impl_->run(impl_->house().artifacts->query(std::move(query)));
}
Result<std::vector<StepRecord>> ConductorAI::list_steps(WorkflowId id) {
  return impl_->run(impl_->house().states->list_steps(std::move(id)));
}
Result<std::vector<std::string>> ConductorAI::list_models(std::string provider) {
  return impl_->run(impl_->list_models(std::move(provider)));
}
Result<LlmCheck> ConductorAI::check_model(LlmDefinition llm) {
  return impl_->run(impl_->check_model(std::move(llm)));
}
Result<void> ConductorAI::check_llm(const WorkflowDefinition& definition) const {
  return impl_->house().llm_services->check(definition);
}
Result<Forecast> ConductorAI::forecast(WorkflowDefinition definition) {
  return impl_->run(facade::make_forecast(impl_->house(), std::move(definition), impl_->now()));
}
Result<std::vector<AgentState>> ConductorAI::agent_states() {
  return impl_->run(impl_->house().states->agent_states());
}
Result<std::vector<DeadLetter>> ConductorAI::dead_letters() {
  return impl_->run(impl_->house().states->dead_letters());
}
Result<void> ConductorAI::resolve_dead_letter(std::int64_t id, bool requeue) {
  return impl_->run(impl_->resolve_dead_letter(id, requeue));
}
Result<std::vector<ReleaseInfo>> ConductorAI::list_releases() {
  return impl_->run(impl_->house().releases->list());
}
Result<ReleaseInfo> ConductorAI::get_release(std::string id) {
  return impl_->run(impl_->house().releases->get(std::move(id)));
}
Result<std::string> ConductorAI::release_logs(std::string id, std::int64_t bytes_max) {
  return impl_->run(impl_->house().releases->logs(std::move(id), bytes_max));
}
Result<ReleaseInfo> ConductorAI::stop_release(std::string id, std::string reason) {
  return impl_->run(impl_->house().releases->stop(std::move(id), std::move(reason)));
}
Result<ReleaseInfo> ConductorAI::rollback_release(std::string id) {
  return impl_->run(impl_->house().releases->rollback(std::move(id)));
}
Result<MonitorReport> ConductorAI::monitor_release(MonitorRequest request) {
  return impl_->run(impl_->monitor_release(std::move(request)));
}
void ConductorAI::interrupt() noexcept {
  impl_->interrupt();
}

}  // namespace conductorai
