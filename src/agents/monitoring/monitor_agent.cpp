#include "agents/monitoring/agents.hpp"
#include "agents/monitoring/diagnosis.hpp"
#include "agents/monitoring/judgement.hpp"
#include "agents/monitoring/watch.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

struct Watched {
  MonitorPlan plan;
  WindowRecord window;
};

std::string output_of(const TaskAssignment& assignment, std::string_view name) {
  for (const auto& [task, outputs] : assignment.upstream)
    if (const auto found = outputs->find(name); found != outputs->end() && found->second.as_string() != nullptr)
      return *found->second.as_string();
  return {};
}

task<Result<Value>> window_step(Clock* clock, Prober* prober, ReleaseManager* releases, MonitorPlan plan, std::string release) {
  auto info = co_await releases->get(release);
  if (!info) co_return fail(info.error());
  auto window = co_await watch_window(*clock, *prober, *releases, {.plan = std::move(plan), .release = std::move(*info)});
  if (!window) co_return fail(window.error());
  co_return encode(*window);
}

task<Result<Value>> reject_step(ReleaseManager* releases, std::string release, std::string reason) {
  auto info = co_await releases->reject(release, reason);
  if (!info) co_return fail(info.error());
  co_return Value(Object{{"release", info->id}, {"state", std::string(to_string(info->state))}, {"reason", info->reason}});
}

class MonitorAgent final : public BaseAgent {
 public:
  MonitorAgent(AgentId id, int capacity, Prober& prober, ReleaseManager& releases)
      : BaseAgent(std::move(id), capacity), prober_(prober), releases_(releases) {}

  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description{.type = AgentType("monitor"),
                                              .phase = Phase::monitoring,
                                              .uses_llm = true,
                                              .changes_files = false,
                                              .summary = "watches the release for a window and judges what it measured by the SLO",
                                              .with = monitor_keys(),
                                              .answer_schema = std::string(diagnosis_schema()),
                                              .acts = {},
                                              .check = [](const Object& with) -> Result<void> {
                                                auto plan = read_plan(with);
                                                return plan ? Result<void>{} : fail(plan.error());
                                              }};
    return description;
  }

 protected:
  task<Result<Outcome>> execute(TaskContext& context) override {
    auto watched = co_await watch(context);
    if (!watched) co_return fail(watched.error());
    Judgement judgement = judge(watched->plan, watched->window);
    auto kept = co_await keep(context, *watched);
    if (!kept) co_return fail(kept.error());
    for (Evidence& evidence : judgement.evidence) evidence.artifact = kept->digest;
    if (judgement.healthy)
      co_return Outcome{.verdict = Verdict::passed,
                        .summary = std::move(judgement.summary),
                        .outputs = std::move(judgement.outputs),
                        .evidence = std::move(judgement.evidence)};
    auto outcome = co_await reject(context, std::move(judgement), std::move(watched->window));
    co_return outcome;
  }

 private:
  /// One recorded step: after a crash the samples that were taken are used, not taken again.
  task<Result<Watched>> watch(TaskContext& context) {
    const TaskAssignment& assignment = context.assignment();
    const std::string release = output_of(assignment, "release");
    if (release.empty())
      co_return fail(ErrorCode::invalid_argument, "no task before this one made a release", "task " + assignment.task->id.str(),
                     "let it need a task of agent deploying");
    auto plan = read_plan(assignment.task->with);
    if (!plan) co_return fail(plan.error());
    auto whole = address(std::move(*plan), output_of(assignment, "url"));
    if (!whole) co_return fail(whole.error());
    RecordRequest request{.kind = "probe",
                          .request = core::to_json(Value(Object{{"release", release}, {"with", assignment.task->with}})),
                          .label = "watching " + release};
    PerformStep perform = [clock = &context.clock(), prober = &prober_, releases = &releases_, plan = *whole, release](const StepId&) {
      return window_step(clock, prober, releases, plan, release);
    };
    auto recorded = co_await context.record(std::move(request), std::move(perform));
    if (!recorded) co_return fail(recorded.error());
    auto window = decode_window(*recorded);
    if (!window) co_return fail(window.error());
    co_return Watched{.plan = std::move(*whole), .window = std::move(*window)};
  }

  static task<Result<ArtifactRef>> keep(TaskContext& context, const Watched& watched) {
    if (!watched.window.log_tail.empty()) {
      auto log = co_await context.save_artifact("service.log", "log", watched.window.log_tail);
      if (!log) co_return fail(log.error());
    }
    auto kept = co_await context.save_artifact("samples.json", "samples", samples_json(watched.window, watched.plan));
    co_return kept;
  }

  /// The release gives way first: a model that is slow, or a budget that is used up, must not keep a bad one serving.
  task<Result<Outcome>> reject(TaskContext& context, Judgement judgement, WindowRecord window) {
    RecordRequest request{.kind = "release", .request = "reject " + window.release, .label = "rejecting " + window.release};
    PerformStep perform = [releases = &releases_, release = window.release, reason = judgement.summary](const StepId&) {
      return reject_step(releases, release, reason);
    };
    auto rejected = co_await context.record(std::move(request), std::move(perform));
    if (!rejected) co_return fail(rejected.error());
    auto diagnosis = co_await diagnose(context, judgement, window);
    if (!diagnosis) co_return fail(diagnosis.error());
    Outcome outcome{.verdict = Verdict::failed,
                    .summary = judgement.summary,
                    .outputs = std::move(judgement.outputs),
                    .evidence = std::move(judgement.evidence)};
    if (const Value* state = rejected->find("state")) outcome.outputs["release_state"] = *state;
    if (!diagnosis->text.empty()) outcome.outputs["diagnosis"] = diagnosis->text;
    FeedbackPayload& feedback = outcome.feedback.emplace();
    feedback.severity = judgement.severity;
    feedback.summary = diagnosis->text.empty() ? judgement.summary : judgement.summary + ". Diagnosis: " + diagnosis->text;
    feedback.findings = std::move(judgement.findings);
    feedback.findings.insert(feedback.findings.end(), diagnosis->findings.begin(), diagnosis->findings.end());
    feedback.recommendations = std::move(diagnosis->recommendations);
    feedback.affected_tasks = std::move(diagnosis->affected_tasks);
    for (const Evidence& evidence : outcome.evidence)
      if (feedback.evidence.empty()) feedback.evidence.push_back(evidence.artifact);
    co_return outcome;
  }

  Prober& prober_;
  ReleaseManager& releases_;
};

}  // namespace

std::unique_ptr<BaseAgent> make_monitor_agent(AgentId id, int capacity, Prober& prober, ReleaseManager& releases) {
  return std::make_unique<MonitorAgent>(std::move(id), capacity, prober, releases);
}

}  // namespace conductorai::agents
