#include "infrastructure/releases/kubernetes_driver.hpp"

#include "infrastructure/releases/kubectl.hpp"
#include "infrastructure/releases/kubernetes_record.hpp"
#include "infrastructure/releases/manifests.hpp"
#include "infrastructure/releases/settings.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

constexpr Milliseconds kAskWithin{60'000};
constexpr Milliseconds kDeleteWithin{120'000};
constexpr Milliseconds kMargin{10'000};  // of a process over what it was told to wait
constexpr const char* kReadyColumns =
    "custom-columns=KIND:.kind,NAME:.metadata.name,READY:.status.readyReplicas,NUMBER:.status.numberReady";
constexpr const char* kLogLines = "--tail=40";

std::string seconds(Milliseconds time) {
  return std::to_string(std::max<std::int64_t>(1, (time.count() + 999) / 1'000)) + "s";
}

PlatformAnswer refused(std::string why, bool touched = true) {
  return {.done = false, .why = std::move(why), .url = {}, .touched = touched};
}
PlatformAnswer done() {
  return {.done = true, .why = {}, .url = {}};
}

/// A release on its cluster: what its record says, and kubectl beside it.
struct Held {
  Kubectl kubectl;
  ClusterPlace place;
  KubernetesRecord record;
  std::string manifests;
  Kubectl::Say say;
};

class KubernetesDriver final : public PlatformDriver {
 public:
  KubernetesDriver(runtime::Loop& loop, std::map<std::string, std::string> environment)
      : loop_(loop), environment_(std::move(environment)) {}

  [[nodiscard]] Result<void> check(const Release& release) const override;
  task<Result<PlatformAnswer>> deploy(PlatformJob job) override;
  task<Result<PlatformAnswer>> settle(PlatformJob job) override;
  task<Result<PlatformAnswer>> roll_back(PlatformJob job) override;
  task<Result<PlatformAnswer>> stop(PlatformJob job) override;
  task<Result<PlatformLook>> look(Carried one) override;
  [[nodiscard]] bool can_roll_back(const Release& /*release*/) const override { return true; }
  [[nodiscard]] bool can_stop(const Release& /*release*/) const override { return true; }

 private:
  [[nodiscard]] static Result<Manifests> render(const PlatformJob& job);
  [[nodiscard]] Result<Kubectl> kubectl_of(const Release& release) const;
  [[nodiscard]] Result<std::optional<Held>> held(const Carried& one, Kubectl::Say say) const;
  task<Result<PlatformAnswer>> prepare(PlatformJob job);
  task<Result<std::map<std::string, std::string>>> revisions_of(Kubectl kubectl, ClusterPlace place, Names names);
  task<Result<KubectlAnswer>> present(Held held);
  task<Result<PlatformAnswer>> roll_out(Held held, Names names, Milliseconds within);
  task<Result<PlatformAnswer>> undo(Held held);
  task<Result<PlatformAnswer>> apply_again(Held before, Milliseconds within);
  task<Result<PlatformAnswer>> remove(Held held, Names names);

  runtime::Loop& loop_;
  std::map<std::string, std::string> environment_;
};

Kubectl::Say into(std::shared_ptr<ServiceLog> log) {
  return [log = std::move(log)](std::string_view text) { log->add(text); };
}
Result<void> KubernetesDriver::check(const Release& release) const {
  const auto wrong = [](const char* message, const char* key) { return fail(ErrorCode::invalid_argument, message, key); };
  const Object& with = release.with;
  const std::string space = text_in(with, "namespace"), image = text_in(with, "image"), folder = text_in(with, "manifests");
  if (!space.empty() && !is_object_name(space))
    return wrong("a namespace has lower-case letters, digits and '-', at most 63", "with.namespace");
  if (!image.empty() && !is_image_name(image)) return wrong("this is no name of an image", "with.image");
  if (text_in(with, "context").starts_with('-')) return wrong("this is no name of a context", "with.context");
  const fs::path path = fs::path(folder).lexically_normal();
  if (path.is_absolute() || (!path.empty() && *path.begin() == ".."))
    return wrong("expected a path among the release's files", "with.manifests");
  if (const std::string word = text_in(with, "on-stop"); !word.empty() && word != "delete" && word != "scale")
    return wrong("expected delete or scale", "with.on-stop");
  if (!release.variables.empty())
    return fail(ErrorCode::invalid_argument, "driver kubernetes gives the service no variables", "with.env",
                "write them into the manifests");
  return {};
}

Result<Kubectl> KubernetesDriver::kubectl_of(const Release& release) const {
  return Kubectl::find(loop_, environment_, host_names(release.with));
}

Result<Manifests> KubernetesDriver::render(const PlatformJob& job) {
  const Release& release = job.release;
  ManifestRequest request{.files = job.files,
                          .folder = text_in(release.with, "manifests"),
                          .image = text_in(release.with, "image"),
                          .values = {{"APP", object_name(release.app)},
                                     {"VERSION", label_value(release.version)},
                                     {"ENVIRONMENT", label_value(release.environment)},
                                     {"RELEASE", release.id}}};
  const std::string space = text_in(release.with, "namespace");
  if (!space.empty()) request.values["NAMESPACE"] = space;
  auto manifests = render_manifests(request);
  if (!manifests) return manifests;
  for (const ManifestObject& object : manifests->objects) {
    if (!space.empty() && !object.space.empty() && object.space != space)
      return fail(ErrorCode::invalid_argument, "it is for namespace " + object.space + ", the release is for " + space, object.where,
                  "write ${NAMESPACE}, or leave it out");
    const bool scaled = object.kind == "Deployment" || object.kind == "StatefulSet";
    if (text_in(release.with, "on-stop") == "scale" && scaled && !object.counted)
      return fail(ErrorCode::invalid_argument, "with.on-stop: scale needs spec.replicas here: applied again, it would stay at 0",
                  object.where);
  }
  if (!space.empty()) manifests->space = space;
  return manifests;
}

/// Nothing: nothing of it was ever applied.
Result<std::optional<Held>> KubernetesDriver::held(const Carried& one, Kubectl::Say say) const {
  auto record = load_record(one.kept);
  if (!record) return fail(record.error());
  if (!*record) return std::optional<Held>{};
  auto kubectl = kubectl_of(one.release);
  if (!kubectl) return fail(kubectl.error());
  ClusterPlace place{.context = text_in(one.release.with, "context"), .space = (*record)->space};
  return std::optional(Held{.kubectl = std::move(*kubectl),
                            .place = std::move(place),
                            .record = std::move(**record),
                            .manifests = manifests_file(one.kept).string(),
                            .say = std::move(say)});
}

/// Those of its objects that are there.
task<Result<KubectlAnswer>> KubernetesDriver::present(Held held) {
  return held.kubectl.ask(held.place, {"get", "--filename", held.manifests, "--ignore-not-found", "--output", "name"}, kAskWithin, {});
}

task<Result<std::map<std::string, std::string>>> KubernetesDriver::revisions_of(Kubectl kubectl, ClusterPlace place, Names names) {
  std::map<std::string, std::string> revisions;
  for (const std::string& name : names) {
    if (!is_workload(name)) continue;
    auto history = co_await kubectl.ask(place, {"rollout", "history", name}, kAskWithin, {});
    if (!history) co_return fail(history.error());
    if (history->ok) revisions[name] = newest_revision(history->out);
  }
  co_return revisions;
}

/// Manifests and what is there before them are on the disk when it returns; a repetition after a crash finds them and asks for neither.
task<Result<PlatformAnswer>> KubernetesDriver::prepare(PlatformJob job) {
  auto known = load_record(job.kept);
  if (!known) co_return fail(known.error());
  if (*known) co_return done();
  auto kubectl = kubectl_of(job.release);
  if (!kubectl) co_return fail(kubectl.error());
  auto manifests = render(job);
  if (!manifests && manifests.error().code != ErrorCode::invalid_argument && manifests.error().code != ErrorCode::not_found)
    co_return fail(manifests.error());
  if (!manifests) co_return refused("the manifests: " + to_string(manifests.error()), false);
  const ClusterPlace place{.context = text_in(job.release.with, "context"), .space = manifests->space};
  // Not yet a record: until that is written, what lies there is written anew.
  if (auto written = save_manifests(job.kept, manifests->text); !written) co_return fail(written.error());
  auto there =
      co_await present({.kubectl = *kubectl, .place = place, .record = {}, .manifests = manifests_file(job.kept).string(), .say = {}});
  if (!there) co_return fail(there.error());
  if (!there->ok) co_return refused("the cluster refuses the manifests: " + there->why, false);
  auto revisions = co_await revisions_of(*kubectl, place, there->names());
  if (!revisions) co_return fail(revisions.error());
  const KubernetesRecord record{.space = manifests->space, .existing = there->names(), .revisions = std::move(*revisions)};
  if (auto saved = save_record(job.kept, record); !saved) co_return fail(saved.error());
  co_return done();
}

/// Waits for all of them, one after the other, `within` in all.
task<Result<PlatformAnswer>> KubernetesDriver::roll_out(Held held, Names names, Milliseconds within) {
  const Instant until = loop_.steady_now() + within;
  for (const std::string& name : names) {
    if (!is_workload(name)) continue;
    const auto left = std::max(Milliseconds(1'000), std::chrono::duration_cast<Milliseconds>(until - loop_.steady_now()));
    auto status =
        co_await held.kubectl.ask(held.place, {"rollout", "status", name, "--timeout=" + seconds(left)}, left + kMargin, held.say);
    if (!status) co_return fail(status.error());
    if (status->ok) continue;
    // What its containers say tells why; that they say nothing yet is no error of ours.
    auto logs = co_await held.kubectl.ask(held.place, {"logs", name, "--all-containers", kLogLines}, kAskWithin, held.say);
    if (!logs && logs.error().code == ErrorCode::cancelled) co_return fail(logs.error());
    co_return refused("the rollout of " + name + " did not complete within " + seconds(within) + ": " + status->why);
  }
  co_return done();
}

task<Result<PlatformAnswer>> KubernetesDriver::deploy(PlatformJob job) {
  auto prepared = co_await prepare(job);
  if (!prepared || !prepared->done) co_return prepared;
  auto held = this->held(job, into(job.log));
  if (!held) co_return fail(held.error());
  auto applied = co_await (*held)->kubectl.ask((*held)->place, {"apply", "--filename", (*held)->manifests, "--output", "name"}, kAskWithin,
                                               (*held)->say);
  if (!applied) co_return fail(applied.error());
  // It goes on past an object that is refused: what it names was changed.
  if (!applied->ok) co_return refused("the manifests were refused: " + applied->why, !applied->names().empty());
  co_return co_await roll_out(**held, applied->names(), job.release.health.start_timeout);
}

task<Result<PlatformAnswer>> KubernetesDriver::remove(Held held, Names names) {
  std::erase_if(names, [&](const std::string& name) {
    if (outlives_release(name)) held.say("[conductorai] " + name + " is left: it holds what may be wanted\n");
    return outlives_release(name);
  });
  if (names.empty()) co_return done();
  Names arguments{"delete", "--ignore-not-found", "--timeout=" + seconds(kDeleteWithin)};
  arguments.insert(arguments.end(), names.begin(), names.end());
  auto removed = co_await held.kubectl.ask(held.place, std::move(arguments), kDeleteWithin + kMargin, held.say);
  if (!removed) co_return fail(removed.error());
  co_return removed->ok ? done() : refused(removed->why);
}

/// Objects that only the release before had belong to nobody now.
task<Result<PlatformAnswer>> KubernetesDriver::settle(PlatformJob job) {
  if (!job.before) co_return done();
  auto now = held(job, into(job.log));
  auto before = held(*job.before, into(job.log));
  if (!now) co_return fail(now.error());
  if (!before) co_return fail(before.error());
  if (!*now || !*before) co_return done();
  auto old_names = co_await present(**before);
  if (!old_names) co_return fail(old_names.error());
  if (!old_names->ok) co_return refused(old_names->why);
  auto names = co_await present(**now);
  if (!names) co_return fail(names.error());
  if (!names->ok) co_return refused(names->why);
  const bool same = (*now)->place == (*before)->place;
  co_return co_await remove(**before, same ? without(old_names->names(), names->names()) : old_names->names());
}

task<Result<PlatformAnswer>> KubernetesDriver::undo(Held held) {
  std::string why;
  for (const auto& [name, revision] : held.record.revisions) {
    Names arguments{"rollout", "undo", name};
    if (!revision.empty()) arguments.push_back("--to-revision=" + revision);
    auto undone = co_await held.kubectl.ask(held.place, std::move(arguments), kAskWithin, held.say);
    if (!undone) co_return fail(undone.error());
    if (!undone->ok) why = undone->why;
  }
  co_return why.empty() ? done() : refused(why);
}

task<Result<PlatformAnswer>> KubernetesDriver::apply_again(Held before, Milliseconds within) {
  auto applied =
      co_await before.kubectl.ask(before.place, {"apply", "--filename", before.manifests, "--output", "name"}, kAskWithin, before.say);
  if (!applied) co_return fail(applied.error());
  if (!applied->ok) co_return refused(applied->why);
  co_return co_await roll_out(before, applied->names(), within);
}

/// The pods first, by their rollouts' histories; then all the rest, by the earlier manifests; then what they never had is removed.
task<Result<PlatformAnswer>> KubernetesDriver::roll_back(PlatformJob job) {
  auto now = held(job, into(job.log));
  if (!now) co_return fail(now.error());
  if (!*now) co_return done();
  auto undone = co_await undo(**now);
  if (!undone) co_return undone;
  std::optional<Held> before;
  if (job.before) {
    auto found = held(*job.before, into(job.log));
    if (!found) co_return fail(found.error());
    before = std::move(*found);
  }
  const Milliseconds within = job.release.health.start_timeout;
  Names stay = (*now)->record.existing;
  if (before) {
    // A history that was cut short is made up for by the manifests.
    auto again = co_await apply_again(*before, job.before->release.health.start_timeout);
    if (!again || !again->done) co_return again;
    auto names = co_await present(*before);
    if (!names) co_return fail(names.error());
    stay = (*now)->place == before->place ? names->names() : Names{};
  } else if (!undone->done) {
    co_return undone;
  } else {
    auto back = co_await roll_out(**now, stay, within);
    if (!back || !back->done) co_return back;
  }
  auto there = co_await present(**now);
  if (!there) co_return fail(there.error());
  if (!there->ok) co_return refused(there->why);
  co_return co_await remove(**now, without(there->names(), stay));
}

task<Result<PlatformAnswer>> KubernetesDriver::stop(PlatformJob job) {
  auto now = held(job, into(job.log));
  if (!now) co_return fail(now.error());
  if (!*now) co_return done();
  auto there = co_await present(**now);
  if (!there) co_return fail(there.error());
  if (!there->ok) co_return refused(there->why);
  if (text_in(job.release.with, "on-stop") != "scale") co_return co_await remove(**now, there->names());
  Names arguments{"scale", "--replicas=0"}, others;
  for (const std::string& name : there->names())
    if (is_workload(name)) (name.starts_with("daemonset.") ? others : arguments).push_back(name);
  if (arguments.size() > 2) {
    auto scaled = co_await (*now)->kubectl.ask((*now)->place, std::move(arguments), kAskWithin, (*now)->say);
    if (!scaled) co_return fail(scaled.error());
    if (!scaled->ok) co_return refused(scaled->why);
  }
  co_return co_await remove(**now, std::move(others));
}

/// It runs when each of its workloads has a pod that is ready, and nothing of it is missing.
task<Result<PlatformLook>> KubernetesDriver::look(Carried one) {
  auto now = held(one, {});
  if (!now) co_return fail(now.error());
  if (!*now) co_return PlatformLook{};
  Names arguments{"get", "--filename", (*now)->manifests, "--no-headers", "--output", kReadyColumns};
  auto told = co_await (*now)->kubectl.ask((*now)->place, std::move(arguments), kAskWithin, {});
  if (!told) co_return fail(told.error());
  if (!told->ok && told->why.find("(NotFound)") == std::string::npos) co_return PlatformLook{.alive = {}, .why = told->why};
  std::string why = told->ok ? std::string() : told->why;
  if (why.empty()) why = without_ready_pods(told->out);
  co_return PlatformLook{.alive = why.empty(), .why = why};
}

}  // namespace

std::unique_ptr<PlatformDriver> make_kubernetes_driver(runtime::Loop& loop, std::map<std::string, std::string> environment) {
  return std::make_unique<KubernetesDriver>(loop, std::move(environment));
}

}  // namespace conductorai::infrastructure::releases
