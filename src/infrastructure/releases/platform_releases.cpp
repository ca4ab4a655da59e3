#include "infrastructure/releases/platform_releases.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/crash_point.hpp"
#include "infrastructure/probe/network_prober.hpp"
#include "infrastructure/process/lookup.hpp"
#include "infrastructure/process/work_area.hpp"
#include "infrastructure/releases/command_driver.hpp"
#include "infrastructure/releases/durable_file.hpp"
#include "infrastructure/releases/kubernetes_driver.hpp"
#include "infrastructure/releases/settings.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr Milliseconds kLockWithin{10'000};
constexpr Milliseconds kLockLook{100};
constexpr Milliseconds kLookWithin{5'000};

Carried carried(const AppFolder& folder, const Release& release) {
  return {.release = release, .files = folder.files(release.slug), .kept = folder.log(release.slug).parent_path()};
}

Probe health_probe(const Release& release) {
  std::string base = release.url;
  while (base.ends_with('/')) base.pop_back();
  return {.kind = Probe::Kind::http,
          .name = "health",
          .url = release.health.path.empty() ? release.url : base + release.health.path,
          .timeout = release.health.request_timeout,
          .status = release.health.status};
}

void set(AppState& app, const std::string& id, ReleaseState state, std::string reason, Timestamp now) {
  Release& release = *app.find(id);
  release.state = state;
  release.reason = std::move(reason);
  release.changed_at = now;
}

}  // namespace

bool is_platform(std::string_view driver) {
  return driver == "command" || driver == "kubernetes";
}

/// The record of an app, locked.
struct PlatformReleases::Books {
  AppFolder folder;
  UniqueFd lock;
  AppState app;

  Result<void> commit(AppState next) {
    auto saved = save_state(folder.state_file(), next);
    if (saved) app = std::move(next);
    return saved;
  }
  Result<ReleaseInfo> info(const std::string& id) {
    const Release* release = app.find(id);
    if (release == nullptr) return fail(ErrorCode::not_found, "no such release", id, "conductorai releases list shows them");
    return info_of(app, *release);
  }
};

PlatformReleases::PlatformReleases(runtime::Loop& loop, fs::path state_dir, fs::path helper) : loop_(loop) {
  drivers_["command"] = make_command_driver(loop, std::move(state_dir), std::move(helper));
  drivers_["kubernetes"] = make_kubernetes_driver(loop, own_environment());
}
PlatformReleases::~PlatformReleases() = default;

PlatformDriver& PlatformReleases::driver_of(const Release& release) {
  return *drivers_.find(release.driver)->second;
}

PlatformJob PlatformReleases::job_of(Books& books, const std::string& id, const std::string& previous) {
  const Release& release = *books.app.find(id);
  PlatformJob job{carried(books.folder, release), {}, std::make_shared<ServiceLog>(books.folder.log(release.slug), LogBounds{})};
  if (!previous.empty()) job.before = carried(books.folder, *books.app.find(previous));
  return job;
}

task<Result<PlatformReleases::Books>> PlatformReleases::open(AppFolder folder) {
  if (auto made = folder.make(); !made) co_return fail(made.error());
  const Instant until = loop_.steady_now() + kLockWithin;
  for (;;) {
    auto lock = folder.lock();
    if (!lock) co_return fail(lock.error());
    if (*lock) {
      auto app = load_state(folder.state_file());
      if (!app && app.error().code != ErrorCode::not_found) co_return fail(app.error());
      co_return Books{folder, std::move(*lock), app ? std::move(*app) : AppState{}};
    }
    if (loop_.steady_now() > until)
      co_return fail(ErrorCode::unavailable, "another process has this app's releases in hand", folder.name(),
                     "a supervisor serves the app, or another deployment of it is under way");
    auto slept = co_await sleep_for(loop_, kLockLook);
    if (!slept) co_return fail(slept.error());
  }
}

task<Result<void>> PlatformReleases::record(Books& books, Release wanted, fs::path files) {
  if (auto checked = driver_of(wanted).check(wanted); !checked) co_return checked;
  AppState next = books.app;
  if (const Release* serving = next.serving(); serving != nullptr && serving->driver != wanted.driver)
    co_return fail(ErrorCode::conflict, "the app is served by a release of driver " + serving->driver, serving->id,
                   "conductorai releases stop " + serving->id);
  // What only another driver could bring back is nothing to go back to.
  for (Release& release : next.releases)
    if (release.driver != wanted.driver && (release.state == ReleaseState::previous || release.state == ReleaseState::candidate))
      set(next, release.id, ReleaseState::stopped, "the app went over to driver " + wanted.driver, loop_.now());
  next.app = wanted.app;
  next.environment = wanted.environment;
  wanted.slug = std::to_string(next.next++);
  wanted.slug.insert(0, wanted.slug.size() < 4 ? 4 - wanted.slug.size() : 0, '0');
  wanted.url = text_in(wanted.with, "url");
  wanted.created_at = wanted.changed_at = loop_.now();
  const fs::path to = books.folder.files(wanted.slug);
  const auto area = work_area(books.folder.state_dir());
  const std::int64_t most = wanted.limits.disk_bytes;
  auto copied = co_await worker_.run([files, to, area, most]() -> Result<void> {
    if (auto done = copy_tree(files, to, most); !done) return done;
    return give_to(area, to);
  });
  if (!copied) co_return copied;
  next.releases.push_back(std::move(wanted));
  co_return books.commit(std::move(next));
}

/// Empty: healthy, or there is nothing to ask.
task<Result<std::string>> PlatformReleases::why_unhealthy(Release release) {
  if (release.url.empty()) co_return std::string();
  const HealthCheck& health = release.health;
  const Probe probe = health_probe(release);
  NetworkProber prober(loop_);
  const Instant until = loop_.steady_now() + health.start_timeout;
  std::string last;
  for (int good = 0; good < health.successes;) {
    auto sample = co_await prober.probe(probe);
    if (!sample) co_return fail(sample.error());
    good = sample->ok ? good + 1 : 0;
    if (!sample->ok) last = sample->error;
    if (good >= health.successes) break;
    if (loop_.steady_now() >= until)
      co_return "it was not healthy within " + std::to_string(health.start_timeout.count()) + " ms: " + probe.url + ": " + last;
    auto slept = co_await sleep_for(loop_, health.interval);
    if (!slept) co_return fail(slept.error());
  }
  co_return std::string();
}

/// Its own way to tell, else its health check.
task<Result<PlatformLook>> PlatformReleases::ask(AppFolder folder, Release release) {
  auto said = co_await driver_of(release).look(carried(folder, release));
  if (!said || said->alive || release.url.empty()) co_return said;
  NetworkProber prober(loop_);
  auto sample = co_await prober.probe(health_probe(release));
  if (!sample) co_return fail(sample.error());
  co_return PlatformLook{.alive = sample->ok, .why = sample->ok ? "" : release.url + ": " + sample->error};
}

task<ReleaseInfo> PlatformReleases::look(AppFolder folder, Release release, ReleaseInfo info) {
  if (!has_traffic(release)) co_return info;
  auto said = co_await runtime::with_deadline(loop_, kLookWithin, "the platform's answer", ask(folder, release));
  info.alive = said && said->alive.value_or(false);
  info.alive_known = said && said->alive.has_value();
  std::string why = said ? said->why : to_string(said.error());
  if (!info.alive_known) why = "whether it runs is not known" + (why.empty() ? "" : ": " + why);
  if (!why.empty()) info.reason += (info.reason.empty() ? "" : "; ") + why;
  co_return info;
}

/// By the release's own rollback command; without one, by deploying the other again: its files are kept.
task<Result<PlatformAnswer>> PlatformReleases::go_back(Books& books, std::string id, std::string to) {
  PlatformDriver& driver = driver_of(*books.app.find(id));
  if (driver.can_roll_back(*books.app.find(id))) co_return co_await driver.roll_back(job_of(books, id, to));
  if (!to.empty()) co_return co_await driver.deploy(job_of(books, to, id));
  if (driver.can_stop(*books.app.find(id))) co_return co_await driver.stop(job_of(books, id, {}));
  co_return PlatformAnswer{.done = true, .why = {}, .url = {}};
}

task<Result<ReleaseInfo>> PlatformReleases::deploy(AppFolder folder, Release wanted, fs::path files) {
  auto books = co_await open(std::move(folder));
  if (!books) co_return fail(books.error());
  const std::string id = wanted.id;
  if (books->app.find(id) == nullptr) {
    auto recorded = co_await record(*books, std::move(wanted), std::move(files));
    if (!recorded) co_return fail(recorded.error());
  }
  if (books->app.find(id)->state != ReleaseState::candidate) co_return books->info(id);
  const Release* serving = books->app.serving();
  const std::string old = serving == nullptr ? std::string() : serving->id;
  crash_point("release.before_start");
  auto answer = co_await driver_of(*books->app.find(id)).deploy(job_of(*books, id, old));
  if (!answer) co_return fail(answer.error());
  crash_point("release.after_start");
  AppState next = books->app;
  if (!answer->url.empty()) next.find(id)->url = answer->url;
  std::string why = answer->why;
  if (answer->done) {
    auto unhealthy = co_await why_unhealthy(*next.find(id));
    if (!unhealthy) co_return fail(unhealthy.error());
    why = *unhealthy;
  }
  if (!why.empty()) {
    auto back =
        answer->touched ? co_await go_back(*books, id, old) : Result<PlatformAnswer>(PlatformAnswer{.done = true, .why = {}, .url = {}});
    if (!back) co_return fail(back.error());
    if (!back->done) why += "; going back failed: " + back->why;
    set(next, id, ReleaseState::failed, why, loop_.now());
  } else {
    auto settled = co_await driver_of(*books->app.find(id)).settle(job_of(*books, id, old));
    if (!settled) co_return fail(settled.error());
    crash_point("release.before_switch");
    if (const Release* before = next.find(old); before != nullptr) {
      const bool degraded = before->state == ReleaseState::degraded;
      set(next, old, degraded ? ReleaseState::stopped : ReleaseState::previous, "replaced by " + id, loop_.now());
    }
    set(next, id, ReleaseState::serving, settled->done ? "" : "what only " + old + " had is left: " + settled->why, loop_.now());
  }
  if (auto done = books->commit(std::move(next)); !done) co_return fail(done.error());
  co_await prune(*books);
  co_return books->info(id);
}

/// The oldest that nobody can want back go, with their files and logs.
task<void> PlatformReleases::prune(Books& books) {
  while (books.app.releases.size() > kReleasesKept) {
    const Release* previous = books.app.previous();
    const auto old = std::ranges::find_if(books.app.releases, [&](const Release& r) {
      return !has_traffic(r) && r.state != ReleaseState::candidate && (previous == nullptr || r.id != previous->id);
    });
    if (old == books.app.releases.end()) co_return;
    const std::vector<fs::path> folders{books.folder.files(old->slug), books.folder.log(old->slug).parent_path()};
    AppState next = books.app;
    next.releases.erase(next.releases.begin() + (old - books.app.releases.begin()));
    if (auto kept = books.commit(std::move(next)); !kept) co_return;
    co_await worker_.run([folders] {
      std::error_code ignored;
      for (const auto& folder : folders) fs::remove_all(folder, ignored);
      return true;
    });
  }
}

task<Result<ReleaseInfo>> PlatformReleases::reject(AppFolder folder, std::string id, std::string reason) {
  auto books = co_await open(std::move(folder));
  if (!books) co_return fail(books.error());
  const Release* release = books->app.find(id);
  if (release == nullptr || (release->state != ReleaseState::serving && release->state != ReleaseState::previous))
    co_return books->info(id);
  AppState next = books->app;
  const Release* previous = books->app.previous();
  if (release->state == ReleaseState::previous) {
    set(next, id, ReleaseState::failed, reason, loop_.now());
  } else if (previous == nullptr) {
    set(next, id, ReleaseState::degraded, reason, loop_.now());
  } else {
    const std::string back = previous->id;
    auto went = co_await go_back(*books, id, back);
    if (!went) co_return fail(went.error());
    if (went->done) {
      set(next, id, ReleaseState::failed, reason, loop_.now());
      set(next, back, ReleaseState::serving, "serves again instead of " + id, loop_.now());
    } else {
      set(next, id, ReleaseState::degraded, reason + "; going back failed: " + went->why, loop_.now());
    }
  }
  if (auto done = books->commit(std::move(next)); !done) co_return fail(done.error());
  co_return books->info(id);
}

task<Result<ReleaseInfo>> PlatformReleases::rollback(AppFolder folder, std::string id) {
  auto books = co_await open(std::move(folder));
  if (!books) co_return fail(books.error());
  const Release* release = books->app.find(id);
  if (release == nullptr) co_return books->info(id);
  if (!release->gave_way_to.empty()) co_return books->info(release->gave_way_to);  // done before
  if (!has_traffic(*release))
    co_return fail(ErrorCode::conflict,
                   "only a release that serves can be rolled back; this one is " + std::string(to_string(release->state)), id);
  const Release* previous = books->app.previous();
  if (previous == nullptr) co_return fail(ErrorCode::conflict, "there is no release before this one to go back to", id);
  const std::string back = previous->id;
  auto went = co_await go_back(*books, id, back);
  if (!went) co_return fail(went.error());
  if (!went->done) co_return fail(ErrorCode::conflict, "going back failed: " + went->why, back);
  AppState next = books->app;
  set(next, id, ReleaseState::stopped, "rolled back to " + back, loop_.now());
  next.find(id)->gave_way_to = back;
  set(next, back, ReleaseState::serving, "serves again after a rollback of " + id, loop_.now());
  next.find(back)->gave_way_to.clear();
  if (auto done = books->commit(std::move(next)); !done) co_return fail(done.error());
  co_return books->info(back);
}

task<Result<ReleaseInfo>> PlatformReleases::stop(AppFolder folder, std::string id, std::string reason) {
  auto books = co_await open(std::move(folder));
  if (!books) co_return fail(books.error());
  const Release* release = books->app.find(id);
  if (release == nullptr || release->state == ReleaseState::stopped || release->state == ReleaseState::failed) co_return books->info(id);
  if (has_traffic(*release)) {
    PlatformDriver& driver = driver_of(*release);
    if (!driver.can_stop(*release))
      co_return fail(ErrorCode::conflict, "this release has no stop command", id, "with.stop of the deploying task names one");
    auto answer = co_await driver.stop(job_of(*books, id, {}));
    if (!answer) co_return fail(answer.error());
    if (!answer->done) co_return fail(ErrorCode::conflict, answer->why, id);
  } else if (release->state == ReleaseState::candidate) {
    // It was cut off in the middle: the platform may have it already.
    const Release* serving = books->app.serving();
    auto undone = co_await go_back(*books, id, serving == nullptr ? std::string() : serving->id);
    if (!undone) co_return fail(undone.error());
    if (!undone->done) reason += "; going back failed: " + undone->why;
  }
  AppState next = books->app;
  set(next, id, ReleaseState::stopped, std::move(reason), loop_.now());
  if (auto done = books->commit(std::move(next)); !done) co_return fail(done.error());
  co_return books->info(id);
}

task<Result<void>> PlatformReleases::workflow_ended(AppFolder folder, WorkflowId workflow, WorkflowStatus status) {
  const auto app = load_state(folder.state_file());
  if (!app) co_return fail(app.error());
  for (const Release& release : app->releases) {
    const bool candidate = release.state == ReleaseState::candidate;
    const bool degraded = release.state == ReleaseState::degraded && status != WorkflowStatus::completed;
    // What we were never told how to stop stays as it is, and says so.
    if (release.workflow != workflow || !is_platform(release.driver) || (!candidate && !degraded)) continue;
    if (degraded && !driver_of(release).can_stop(release)) continue;
    std::string reason = "its workflow ended " + std::string(to_string(status));
    if (!release.reason.empty()) reason += "; it was rejected: " + release.reason;
    auto stopped = co_await stop(folder, release.id, std::move(reason));
    if (!stopped) co_return fail(stopped.error());
  }
  co_return Result<void>{};
}

}  // namespace conductorai::infrastructure::releases
