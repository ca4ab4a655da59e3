#include "agents/releases/deploying_agent.hpp"

#include "agents/base/with.hpp"
#include "agents/releases/release_plan.hpp"
#include "agents/releases/unpack.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

constexpr std::int64_t kLogBytes = 8'000;  // of a release that did not get healthy, kept with the answer

std::string text_in(const Value& record, std::string_view key) {
  const Value* value = record.find(key);
  return value != nullptr && value->as_string() != nullptr ? *value->as_string() : std::string{};
}

// What is remembered of a release: the answer of the step, and the evidence.
Value record_of(const ReleaseInfo& release, std::string log) {
  Object record{{"release", release.id},    {"app", release.app},         {"environment", release.environment},
                {"driver", release.driver}, {"version", release.version}, {"state", std::string(to_string(release.state))},
                {"reason", release.reason}, {"url", release.url}};
  if (!log.empty()) record.emplace("log", std::move(log));
  return record;
}

task<Result<Value>> deploy(ReleaseManager* releases, ReleaseRequest request, StepId step) {
  request.id = release_id(step);
  const std::string id = request.id;
  auto release = co_await releases->deploy(std::move(request));
  if (!release) co_return fail(release.error());
  std::string log;
  if (release->state == ReleaseState::failed) {
    auto printed = co_await releases->logs(id, kLogBytes);
    if (printed) log = std::move(*printed);
  }
  co_return record_of(*release, std::move(log));
}

Outcome judged(const Value& record, const ArtifactRef& kept) {
  const std::string state = text_in(record, "state");
  const std::string url = text_in(record, "url");
  const std::string reason = text_in(record, "reason");
  const bool healthy = state == "serving";
  Outcome outcome{.verdict = healthy ? Verdict::passed : Verdict::failed};
  outcome.summary = healthy ? "serving" + (url.empty() ? "" : " at " + url) : "the release is " + state + ": " + reason;
  outcome.outputs = {{"release", text_in(record, "release")}, {"url", url}, {"state", state}, {"version", text_in(record, "version")}};
  outcome.evidence.push_back({.kind = "health",
                              .summary = healthy ? "healthy, then switched to" : reason,
                              .value = {},
                              .passed = {},
                              .failed = {},
                              .skipped = {},
                              .artifact = kept.digest});
  if (healthy) return outcome;
  const std::string log = text_in(record, "log");
  outcome.feedback.emplace();
  outcome.feedback->summary = outcome.summary;
  outcome.feedback->findings.push_back({.severity = Severity::error,
                                        .file = {},
                                        .line = 0,
                                        .message = reason + (log.empty() ? "" : "; the service printed last:\n" + log),
                                        .source = "release"});
  return outcome;
}

class DeployingAgent final : public BaseAgent {
 public:
  DeployingAgent(AgentId id, int capacity, ReleaseManager& releases, EnforcePolicy enforce)
      : BaseAgent(std::move(id), capacity), releases_(releases), enforce_(std::move(enforce)) {}
  [[nodiscard]] const AgentDescription& description() const override {
    static const AgentDescription description = describe_deploying();
    return description;
  }

 protected:
  task<Result<void>> before(TaskContext& context) override {
    const TaskAssignment& assignment = context.assignment();
    co_return enforce_all(enforce_, description().acts(*assignment.workflow, assignment.task->with));
  }

  task<Result<Outcome>> execute(TaskContext& context) override {
    auto plan = co_await plan_release(context);
    if (!plan) co_return fail(plan.error());
    if (plan->request.driver == "process" && plan->request.run.empty())
      co_return Outcome{.skipped = true, .summary = "no run command was found; toolchain.run names it"};
    auto files = co_await lay_out(context, plan->bundle);
    if (!files) co_return fail(files.error());
    plan->request.files = std::move(*files);
    RecordRequest step{.kind = "release", .request = plan->text(), .label = "releasing " + plan->request.version};
    PerformStep perform = [releases = &releases_, request = std::move(plan->request)](StepId id) {
      return deploy(releases, request, std::move(id));
    };
    auto record = co_await context.record(std::move(step), std::move(perform));
    if (!record) co_return fail(record.error());
    auto kept = co_await context.save_artifact("release.json", "report", core::to_json(*record));
    if (!kept) co_return fail(kept.error());
    co_return judged(*record, *kept);
  }

 private:
  // The bundle that was checked and named in the provenance; without a package task, the files as they stand on the branch.
  static task<Result<std::filesystem::path>> lay_out(TaskContext& context, Digest bundle) {
    if (bundle.empty()) {
      auto workspace = co_await context.workspace();
      if (!workspace) co_return fail(workspace.error());
      co_return (*workspace)->root();
    }
    auto folder = context.scratch_folder("release");
    if (!folder) co_return fail(folder.error());
    auto tar = co_await context.artifacts().get(bundle);
    if (!tar) co_return fail(tar.error());
    if (auto unpacked = unpack_bundle(*tar, *folder); !unpacked) co_return fail(unpacked.error());
    co_return *folder;
  }

  ReleaseManager& releases_;
  EnforcePolicy enforce_;
};

}  // namespace

std::unique_ptr<BaseAgent> make_deploying_agent(AgentId id, int capacity, ReleaseManager& releases, EnforcePolicy enforce) {
  return std::make_unique<DeployingAgent>(std::move(id), capacity, releases, std::move(enforce));
}

}  // namespace conductorai::agents
